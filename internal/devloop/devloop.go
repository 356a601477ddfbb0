// Package devloop turns saves into running code: a batch of changed paths is
// planned (which service, which action), run, and reported with a trace. The
// newest save wins: what is in flight for a service is cancelled when a newer
// save concerns it.
package devloop

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"zr/pkg/event"
)

// Batch is what changed on disk in one go. Rescan says that changes were
// lost, so that every service has to be compared as a whole.
type Batch struct {
	Paths  []string // absolute, as they are now: written, or gone
	Last   time.Time
	Rescan bool
}

// Decision is what one path leads to, and why.
type Decision struct {
	Service string       `json:"service,omitempty"`
	Action  event.Action `json:"action"`
	Reason  string       `json:"reason"`
}

// Work is what one run of a unit has to make live.
type Work struct {
	Action event.Action
	Paths  []string
	// All says that paths are not enough: compare everything.
	All bool
	// Forced says that the user asked for it: do it even if nothing changed.
	Forced bool
	// Shared says that the save concerns other units as well.
	Shared bool
	// Quiet says that nobody asked: report it only if there was something to do.
	Quiet bool
}

// Unit is one thing that saves change: a service under live reload, or the
// manifests as a whole. Plan is called by the loop's goroutine and must not
// block; Run is called for one work at a time.
type Unit interface {
	Name() string
	// Plan says what a change of path means to this unit: event.Ignore, with
	// the reason, where the unit is not made from it.
	Plan(path string) Decision
	// Run makes work live and fills in the durations of the trace. It leaves
	// the running version as it was when it fails or when ctx ends.
	Run(ctx context.Context, work Work, trace *event.Reload) error
	// State says what the unit is after a run that ended with err: no better
	// than what answered since.
	State(err error) event.ServiceState
}

// Starter is a Unit that compares before the first save: what runs may be from
// an earlier `zr dev`, and the sources may have changed since.
type Starter interface {
	Unit
	First() Work
}

// Fault is an error of the user's own code or files, as a compiler or a
// validator worded it. It stands on screen until the next good run.
type Fault struct{ Text string }

func (f *Fault) Error() string { return f.Text }

// ErrRolledBack is wrapped by Run where the last good version answers again.
var ErrRolledBack = errors.New("the last good version was put back")

// Command is what a user asks of the loop beside saving.
type Command struct {
	// Unit is the unit to run; empty means all of them.
	Unit string
	// Action is Restart, Rebuild or Sync.
	Action event.Action
}

// The pauses before work that was cancelled by a newer save starts again. The first
// bears a formatter that writes a file once more. The second tells a burst (a checkout,
// a generator, a search and replace) from typing. So a burst costs three builds at the
// most, however many saves it has.
const (
	firstPause = 100 * time.Millisecond
	burstPause = 400 * time.Millisecond
	// longestPause is the end of waiting: a burst without end gets a build
	// that newer saves do not cancel.
	longestPause = 3 * time.Second
)

// Loop drives units. All of its state belongs to the goroutine of Run.
type Loop struct {
	// Ended is told of each run that was reported, by its unit and how it ended.
	// Its error ends Run: the units are to be made anew. May be nil.
	Ended func(unit string, err error) error

	root     string
	units    []Unit
	sink     event.Sink
	standing map[string]bool // units of which a Problem stands, outside of Run
}

// New returns a loop over the units of the project in the folder root, which
// reports to sink.
func New(root string, units []Unit, sink event.Sink) *Loop {
	return &Loop{root: root, units: units, sink: sink}
}

// After takes over what problems an earlier loop has left standing: those of
// its units are cleared by the first good run, of units that are gone at once.
func (l *Loop) After(before *Loop) *Loop {
	if before != nil {
		l.standing = before.standing
	}
	return l
}

// Run works through batches and commands until ctx ends, or Ended says so, and
// returns when all work in flight has ended. It returns the context's error,
// or that of Ended.
func (l *Loop) Run(ctx context.Context, batches <-chan Batch, commands <-chan Command) error {
	queues := make([]*queue, len(l.units))
	finished := make(chan *queue)
	timers := make(chan *queue)
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		l.standing = map[string]bool{}
		for _, n := range queues {
			n.stop(finished)
			l.standing[n.unit.Name()] = n.problem
		}
	}()
	l.clearGone()
	for i, u := range l.units {
		queues[i] = &queue{root: l.root, unit: u, sink: l.sink, ctx: ctx, finished: finished, timers: timers, problem: l.standing[u.Name()]}
		if s, ok := u.(Starter); ok {
			queues[i].begin(s.First())
		}
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b, ok := <-batches:
			if !ok {
				batches = nil
				continue
			}
			share(queues, b)
		case c, ok := <-commands:
			if !ok {
				commands = nil
				continue
			}
			for _, n := range queues {
				if c.Unit == "" || c.Unit == n.unit.Name() {
					n.order(c)
				}
			}
		case n := <-finished:
			reported, outcome := n.ended()
			if !reported || l.Ended == nil {
				continue
			}
			if err := l.Ended(n.unit.Name(), outcome); err != nil {
				return err
			}
		case n := <-timers:
			n.timeout()
		}
	}
}

// share hands a batch to the queues that it concerns.
func share(queues []*queue, b Batch) {
	works := map[*queue]Work{}
	for _, n := range queues {
		if work, concerned := n.offer(b); concerned {
			works[n] = work
		}
	}
	for _, n := range queues {
		if work, concerned := works[n]; concerned {
			work.Shared = len(works) > 1
			n.take(b, work)
		}
	}
}

func (l *Loop) clearGone() {
	for name, stands := range l.standing {
		if stands && !slices.ContainsFunc(l.units, func(u Unit) bool { return u.Name() == name }) {
			l.sink.Emit(event.Problem{Source: name, Cleared: true})
		}
	}
}

// Explain says what a change of path would lead to: a decision for each unit
// that it concerns, or a single Ignore with the reason.
func (l *Loop) Explain(path string) []Decision {
	var concerned []Decision
	var reasons []string
	for _, u := range l.units {
		d := u.Plan(path)
		if d.Action != event.Ignore {
			concerned = append(concerned, d)
		} else if !slices.Contains(reasons, d.Reason) {
			reasons = append(reasons, d.Reason)
		}
	}
	if concerned != nil {
		return concerned
	}
	d := Decision{Action: event.Ignore, Reason: "no service is made from it"}
	if below, err := filepath.Rel(l.root, path); err != nil || !filepath.IsLocal(below) {
		d.Reason = "it lies outside of the project"
	} else if len(reasons) > 0 {
		d.Reason = reasons[0]
	}
	return []Decision{d}
}
