package stack

import "context"

// exclusive holds the environment of a session, which one goroutine at a time may
// use: to apply, or to read what was found last.
type exclusive struct {
	token  chan struct{} // holds a token while somebody uses it
	owned  *Stack
	on     *connection // nil while there is no cluster
	images made        // that the environment runs
}

func newExclusive(s *Stack) exclusive { return exclusive{token: make(chan struct{}, 1), owned: s} }

// exclusively runs f while nobody else uses the environment. It returns the context's
// error where that ends before.
func (d *Session) exclusively(ctx context.Context, f func(*Stack) error) error {
	select {
	case d.stack.token <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-d.stack.token }()
	return f(d.stack.owned)
}

// idle tells that nobody uses it.
func (e exclusive) idle() bool {
	select {
	case e.token <- struct{}{}:
		<-e.token
		return true
	default:
		return false
	}
}
