package agent

import (
	"slices"
	"sync"
	"time"

	"zr/internal/agent/folder"
	"zr/pkg/agentspec/wire"
)

// request is a transaction whose files are staged.
type request struct {
	tx       *folder.Tx
	commit   wire.Commit
	received time.Duration
	written  func() // called when the files are in the folder
	reply    func(wire.Result)
}

// inbox holds the requests that wait for the engine. A request for a restart
// interrupts the wait for the version before it.
type inbox struct {
	wake chan struct{} // has a value while the queue may not be empty

	mu        sync.Mutex
	queue     []*request
	onRestart func()
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func (b *inbox) put(r *request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = append(b.queue, r)
	if r.commit.Restart && b.onRestart != nil {
		b.onRestart()
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *inbox) pop() *request {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		return nil
	}
	r := b.queue[0]
	b.queue = b.queue[1:]
	return r
}

// interrupt has f called when a request for a restart comes in. It reports
// false, and f is not called, if one waits already.
func (b *inbox) interrupt(f func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.onRestart = nil
	if f == nil {
		return true
	}
	if b.restartsLocked() {
		return false
	}
	b.onRestart = f
	return true
}

// restarts reports whether a request for a restart waits.
func (b *inbox) restarts() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.restartsLocked()
}

func (b *inbox) restartsLocked() bool {
	return slices.ContainsFunc(b.queue, func(r *request) bool { return r.commit.Restart })
}
