package agent

import (
	"sync"

	"zr/pkg/agentspec/wire"
)

// published holds the status for everybody who wants to know it.
type published struct {
	mu      sync.Mutex
	status  wire.Status
	changed chan struct{} // closed at the next change
}

func newPublished(s wire.Status) *published {
	return &published{status: s, changed: make(chan struct{})}
}

func (b *published) set(change func(*wire.Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.status)
	b.status.Seq++
	close(b.changed)
	b.changed = make(chan struct{})
}

// get returns the status and a channel that is closed when it changes.
func (b *published) get() (wire.Status, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status, b.changed
}
