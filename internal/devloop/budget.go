package devloop

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// Budget bounds how many builds run at once. A save in a package that twenty services
// share would otherwise start twenty compilers. They are slower together than one after
// the other, and take the memory of all. It is safe for concurrent use.
type Budget struct {
	mu      sync.Mutex
	free    int
	waiting []*turn
}

// turn is a build that waits.
type turn struct {
	saved, before time.Time
	come          chan struct{} // closed when it may begin
}

// NewBudget returns a budget of so many builds, at least one.
func NewBudget(jobs int) *Budget { return &Budget{free: max(jobs, 1)} }

// gather is how long the first build of a save that concerns several services
// waits for the others: who comes first is for Take to say.
const gather = 2 * time.Millisecond

// Take waits until a build may begin. Of those that wait, the one that was saved last
// comes first. A save may be shared and concern several; they are followed first by the
// one that was saved last before it. release lets the next one begin. The error is that
// of the context.
func (b *Budget) Take(ctx context.Context, saved, before time.Time, shared bool) (release func(), err error) {
	t := &turn{saved, before, make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, t)
	if shared {
		time.AfterFunc(gather, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.begin()
		})
	} else {
		b.begin()
	}
	b.mu.Unlock()
	select {
	case <-t.come:
		return b.release, nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	i := slices.Index(b.waiting, t)
	if i >= 0 {
		b.waiting = slices.Delete(b.waiting, i, i+1)
	}
	b.mu.Unlock()
	if i < 0 { // its turn came just now
		b.release()
	}
	return nil, context.Cause(ctx)
}

func (b *Budget) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free++
	b.begin()
}

// begin lets those begin that may. The caller holds the mutex.
func (b *Budget) begin() {
	for b.free > 0 && len(b.waiting) > 0 {
		next := slices.MaxFunc(b.waiting, func(x, y *turn) int {
			return cmp.Or(x.saved.Compare(y.saved), x.before.Compare(y.before))
		})
		b.waiting = slices.DeleteFunc(b.waiting, func(t *turn) bool { return t == next })
		b.free--
		close(next.come)
	}
}
