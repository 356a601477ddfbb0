package devloop

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"zr/pkg/event"
)

// queue holds the work of one unit: at most one run in flight and one pending
// work, into which newer saves are merged. Its fields belong to the loop's
// goroutine; a run's goroutine writes outcome before it reports itself
// finished, and nothing else.
type queue struct {
	root     string
	unit     Unit
	sink     event.Sink
	ctx      context.Context // of the loop's run
	finished chan<- *queue
	timers   chan<- *queue

	pending   *Work
	lastSave  time.Time // of the newest pending path
	noticedAt time.Time

	running   *Work
	cancel    context.CancelFunc
	sealed    bool // the run in flight is not to be cancelled by saves
	outcome   outcome
	cancelled int       // runs that saves cancelled since one ended by itself
	waitSince time.Time // when the first of them was
	quietAt   time.Time // when the pending work may start
	waiting   bool      // a timer is out
	problem   bool      // a Problem of this unit stands
}

type outcome struct {
	trace event.Reload
	err   error
}

// rank orders actions by what they include: a rebuild also restarts and syncs.
var rank = map[event.Action]int{event.Ignore: 0, event.Sync: 1, event.Restart: 2, event.Rebuild: 3, event.Apply: 4}

// begin starts the work that comes before every save.
func (n *queue) begin(w Work) {
	n.lastSave = time.Now()
	n.noticedAt = n.lastSave
	n.merge(w)
	n.start()
}

// offer says what of a batch concerns the unit.
func (n *queue) offer(b Batch) (work Work, concerned bool) {
	work = Work{Action: event.Ignore, All: b.Rescan}
	for _, path := range b.Paths {
		if d := n.unit.Plan(path); d.Action != event.Ignore {
			work.Paths = append(work.Paths, path)
			work.Action = dearer(work.Action, d.Action)
		}
	}
	if work.Action == event.Ignore {
		if !b.Rescan {
			return Work{}, false
		}
		work.Action = event.Restart
	}
	return work, true
}

// take begins what of a batch concerns the unit, or lets it wait.
func (n *queue) take(b Batch, work Work) {
	n.lastSave, n.noticedAt = b.Last, time.Now()
	n.merge(work)
	n.save()
}

// order takes a command of the user: it starts at once.
func (n *queue) order(c Command) {
	n.lastSave = time.Now()
	n.noticedAt = n.lastSave
	n.merge(Work{Action: c.Action, All: true, Forced: true})
	n.cancelled = 0
	if n.running == nil {
		n.start()
		return
	}
	n.cancel()
}

func (n *queue) merge(w Work) {
	if n.pending == nil {
		n.pending = &w
		return
	}
	n.pending.Action = dearer(n.pending.Action, w.Action)
	n.pending.All = n.pending.All || w.All
	n.pending.Forced = n.pending.Forced || w.Forced
	n.pending.Quiet = n.pending.Quiet && w.Quiet
	n.pending.Shared = n.pending.Shared || w.Shared
	for _, path := range w.Paths {
		if !slices.Contains(n.pending.Paths, path) {
			n.pending.Paths = append(n.pending.Paths, path)
		}
	}
}

// save decides what a newer save does to the run in flight.
func (n *queue) save() {
	now := time.Now()
	if n.running == nil && n.cancelled == 0 {
		n.start()
		return
	}
	if n.running != nil && !n.sealed && cancels(*n.running) {
		n.cancel()
		n.sealed = true // once is enough
		if n.cancelled == 0 {
			n.waitSince = now
		}
		n.cancelled++
	}
	if n.cancelled > 0 {
		n.quietAt = now.Add(n.pause())
		if end := n.waitSince.Add(longestPause); n.quietAt.After(end) {
			n.quietAt = end
		}
		n.wait()
	}
}

// cancels says whether a newer save ends such a run. Sending a few files takes
// less time than to cancel it.
func cancels(w Work) bool { return w.Action != event.Sync }

func (n *queue) pause() time.Duration {
	if n.cancelled <= 1 {
		return firstPause
	}
	return burstPause
}

func (n *queue) wait() {
	if n.waiting {
		return
	}
	n.waiting = true
	quiet := time.NewTimer(time.Until(n.quietAt))
	go func() {
		defer quiet.Stop()
		select {
		case <-n.ctx.Done():
			return
		case <-quiet.C:
		}
		select {
		case <-n.ctx.Done():
		case n.timers <- n:
		}
	}()
}

// timeout starts the pending work when it has been quiet for long enough.
func (n *queue) timeout() {
	n.waiting = false
	switch {
	case n.pending == nil:
	case time.Now().Before(n.quietAt):
		n.wait()
	case n.running == nil:
		n.start()
	}
}

func (n *queue) start() {
	work := *n.pending
	n.pending = nil
	n.running = &work
	n.sealed = n.cancelled > 0 && !time.Now().Before(n.waitSince.Add(longestPause))
	runCtx, cancel := context.WithCancel(n.ctx)
	n.cancel = cancel
	state := event.Reloading
	if rank[work.Action] >= rank[event.Restart] {
		state = event.Building
	}
	if !work.Quiet {
		n.sink.Emit(event.ServiceState{Service: n.unit.Name(), State: state})
	}
	trace := event.Reload{
		Service: n.unit.Name(), Action: work.Action, Paths: n.relative(work.Paths),
		Saved: n.lastSave, Noticed: n.noticedAt.Sub(n.lastSave),
	}
	go func() {
		err := n.unit.Run(runCtx, work, &trace)
		n.outcome = outcome{trace: trace, err: err}
		n.finished <- n
	}()
}

// relative names paths as the user knows them.
func (n *queue) relative(paths []string) []string {
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = path
		if name, err := filepath.Rel(n.root, path); err == nil {
			names[i] = filepath.ToSlash(name)
		}
	}
	return names
}

// ended goes on with what is pending, and returns whether the run that ended
// was reported, and how it ended.
func (n *queue) ended() (reported bool, err error) {
	work := *n.running
	superseded := n.outcome.err != nil && errors.Is(n.outcome.err, context.Canceled) && n.pending != nil
	n.cancel()
	n.running, n.sealed = nil, false
	if superseded {
		// What the cancelled run should have done is still to be done.
		n.merge(work)
		if n.cancelled == 0 || !time.Now().Before(n.quietAt) {
			n.start()
		} else {
			n.wait()
		}
		return false, nil
	}
	n.cancelled = 0
	if n.ctx.Err() != nil {
		return false, nil
	}
	err = n.outcome.err // the next run has an outcome of its own
	n.report(work, n.outcome)
	if n.pending != nil {
		n.start()
	}
	return true, err
}

func (n *queue) report(w Work, o outcome) {
	name := n.unit.Name()
	if o.err != nil {
		o.trace.Error = o.err.Error()
		o.trace.RolledBack = errors.Is(o.err, ErrRolledBack)
		var f *Fault
		n.problem = true
		text := o.err.Error()
		if errors.As(o.err, &f) {
			text = f.Text
		}
		n.sink.Emit(event.Problem{Source: name, Text: text})
	} else if n.problem {
		n.problem = false
		n.sink.Emit(event.Problem{Source: name, Cleared: true})
	}
	if !w.Quiet || o.trace.Bytes > 0 || o.trace.Swapped > 0 {
		n.sink.Emit(o.trace)
	}
	n.sink.Emit(n.unit.State(o.err))
}

// stop ends the run in flight and waits for it.
func (n *queue) stop(finished <-chan *queue) {
	if n.running == nil {
		return
	}
	n.cancel()
	for n.running != nil {
		(<-finished).running = nil
	}
}

func dearer(a, b event.Action) event.Action {
	if rank[b] > rank[a] {
		return b
	}
	return a
}
