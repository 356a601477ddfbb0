package ui

import (
	"sync"
	"time"

	"zr/pkg/event"
)

// screen shows events. Only one goroutine calls it.
type screen interface {
	show([]stamped)
	close()
}

// stamped is an event with the time at which it was emitted.
type stamped struct {
	event.Event
	at time.Time
}

// maxPending is how many log lines may wait to be shown, and pendingBytes how
// much text they may have: more than any terminal holds, and little memory. One
// line may have 64 KiB.
const (
	maxPending   = 5000
	pendingBytes = 2 << 20
)

// queue hands events to the one goroutine that owns the screen.
type queue struct {
	screen screen
	now    func() time.Time

	mu      sync.Mutex
	pending []stamped
	lines   int            // log lines among them
	bytes   int            // of their text
	skipped map[string]int // log lines that were left out, by service
	closed  bool
	wake    chan struct{}
	done    chan struct{}
}

func newQueue(s screen, now func() time.Time) *queue {
	q := &queue{screen: s, now: now, skipped: map[string]int{}, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go q.run()
	return q
}

// Emit takes an event and returns at once.
func (q *queue) Emit(e event.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	if l, ok := e.(event.LogLine); ok {
		if q.lines >= maxPending || q.bytes >= pendingBytes {
			q.skipped[l.Service]++
			return
		}
		q.lines++
		q.bytes += len(l.Text)
	}
	q.pending = append(q.pending, stamped{e, q.now()})
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns all that waits, and whether more may come.
func (q *queue) take() ([]stamped, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch := q.pending
	for service, n := range q.skipped {
		batch = append(batch, stamped{event.Skipped{Service: service, N: n}, q.now()})
	}
	clear(q.skipped)
	q.pending, q.lines, q.bytes = nil, 0, 0
	return batch, !q.closed
}

func (q *queue) run() {
	defer close(q.done)
	for more := true; more; {
		<-q.wake
		var batch []stamped
		if batch, more = q.take(); len(batch) > 0 {
			q.screen.show(batch)
		}
	}
	q.screen.close()
}

// Close shows what waits and ends the goroutine.
func (q *queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.signal()
	q.mu.Unlock()
	<-q.done
}
