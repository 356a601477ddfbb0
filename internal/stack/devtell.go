package stack

import (
	"context"
	"sync"

	"zr/internal/devloop"
	"zr/pkg/event"
	"zr/pkg/livesync"
)

// teller tells what happens to the container of a service though nobody saves.
type teller struct {
	service   string
	condition *devloop.Condition
	container *throughService
	sink      event.Sink
	runs      func() bool // it is among the services still

	work   sync.WaitGroup // those who ask whether it is reached
	mu     sync.Mutex     // held while something is told, so that the last word is the newest
	met    bool           // it was connected once: before that, the gate knows more
	asking bool
}

// tell says how the container is now. Where its process is healthy and the way to it
// is not known, that is asked until ctx ends, and told again.
func (t *teller) tell(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ctx.Err() != nil || !t.runs() {
		return // its connection is closed any moment
	}
	state := t.container.State()
	healthy := state.Connected && state.Status.Phase == livesync.Healthy && (state.Agreed || state.Status.RolledBack)
	unreached := healthy && t.container.Unreached() != ""
	if !unreached {
		t.condition.Changed(state)
	}
	if t.met = t.met || state.Connected; t.met {
		t.sink.Emit(devloop.StateOf(t.service, t.container))
	}
	if !unreached || t.asking {
		return
	}
	t.asking = true
	t.work.Go(func() {
		_ = t.container.reach(ctx) // what is wrong is part of the state
		t.mu.Lock()
		t.asking = false
		t.mu.Unlock()
		t.tell(ctx)
	})
}
