package agent

import (
	"sync"

	"zr/internal/agent/wire"
)

// board holds the status for everybody who wants to know it.
type board struct {
	mu      sync.Mutex
	status  wire.Status
	changed chan struct{} // closed at the next change
}

func newBoard(s wire.Status) *board { return &board{status: s, changed: make(chan struct{})} }

func (b *board) set(change func(*wire.Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.status)
	b.status.Seq++
	close(b.changed)
	b.changed = make(chan struct{})
}

// get returns the status and a channel that is closed when it changes.
func (b *board) get() (wire.Status, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status, b.changed
}
