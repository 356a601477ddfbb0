package attachment

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"zr/pkg/devattach"
	"zr/pkg/event"
)

// maxWaiting is how many events wait for the api: those of a run of up are some
// fifty, and a save has four. Beyond it the oldest are left out.
const maxWaiting = 1000

// maxBatch is how many events one message has. With texts of devattach.MaxText it stays
// below devattach.MaxFrame.
const maxBatch = 16

// buffer holds the events that are not stored yet.
type buffer struct {
	now func() time.Time

	mu      sync.Mutex
	waiting []stamped
	seq     int64
	added   chan struct{} // has a token after an event has come
	drained chan struct{} // has a token after some were stored
}

type stamped struct {
	event.Event
	seq int64
	at  time.Time
}

func newBuffer() *buffer {
	return &buffer{now: time.Now, added: make(chan struct{}, 1), drained: make(chan struct{}, 1)}
}

// add takes an event, where it is one that is told.
func (b *buffer) add(e event.Event) {
	switch e := e.(type) {
	case event.LogLine, event.Skipped, event.StepProgress:
		return // the api reads logs itself, and how far a step is concerns who waits
	case event.Ready:
		e.Login = "" // a secret
		b.push(e)
	default:
		b.push(e)
	}
}

func (b *buffer) push(e event.Event) {
	b.mu.Lock()
	b.seq++
	b.waiting = append(b.waiting, stamped{e, b.seq, b.now()})
	if over := len(b.waiting) - maxWaiting; over > 0 {
		b.waiting = slices.Delete(b.waiting, 0, over)
	}
	b.mu.Unlock()
	signal(b.added)
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// batch returns the oldest events that wait.
func (b *buffer) batch() []devattach.Event {
	b.mu.Lock()
	some := slices.Clone(b.waiting[:min(len(b.waiting), maxBatch)])
	b.mu.Unlock()
	var out []devattach.Event
	for _, s := range some {
		if data, err := json.Marshal(fit(s.Event)); err == nil { // strings, numbers and times: it does
			out = append(out, devattach.Event{Seq: s.seq, At: s.at, Type: s.Type(), Data: data})
		}
	}
	return out
}

// stored drops the events up to a number.
func (b *buffer) stored(seq int64) {
	b.mu.Lock()
	b.waiting = slices.DeleteFunc(b.waiting, func(s stamped) bool { return s.seq <= seq })
	b.mu.Unlock()
	signal(b.drained)
}

// empty tells that all is stored.
func (b *buffer) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting) == 0
}

// fit bounds what an event holds.
func fit(e event.Event) event.Event {
	switch e := e.(type) {
	case event.StepFailed:
		e.Error, e.Hint = short(e.Error), short(e.Hint)
		return e
	case event.Notice:
		e.Text, e.Hint = short(e.Text), short(e.Hint)
		return e
	case event.ServiceState:
		e.Reason = short(e.Reason)
		return e
	case event.Problem:
		e.Text = short(e.Text)
		return e
	case event.Failure:
		e.Error, e.Hint = short(e.Error), short(e.Hint)
		return e
	case event.Reload:
		e.Error = short(e.Error)
		e.Paths = slices.Clone(e.Paths[:min(len(e.Paths), devattach.MaxPaths)])
		for i := range e.Paths {
			e.Paths[i] = e.Paths[i][:min(len(e.Paths[i]), 512)]
		}
		return e
	}
	return e
}

// short cuts a text in the middle: a compiler begins with what is wrong, and a trace
// ends with it.
func short(text string) string {
	if len(text) <= devattach.MaxText {
		return text
	}
	const half = devattach.MaxText / 2
	return strings.ToValidUTF8(text[:half], "") + "\n…\n" + strings.ToValidUTF8(text[len(text)-half:], "")
}
