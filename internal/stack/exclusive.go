package stack

import (
	"context"

	"zr/pkg/cluster/relay"
)

// current is what a `zr dev` has found last. Its values are not changed but replaced.
type current struct {
	stack   *Stack      // as the config was read
	project *project    // as the overlay was rendered
	on      *connection // nil while there is no cluster
	plan    portPlan
	images  made         // that the environment runs
	reached []endpoint   // nil until all were asked that are brought up now
	relayed []relay.Port // that a process has to relay
	lease   runLease

	dashboard map[string]string // URL of the one that runs beside the environment
}

// take makes p the project of the `zr dev`.
func (c *current) take(p *project) { c.stack, c.project = p.Stack, p }

// exclusive holds what a `zr dev` has found, which one goroutine at a time may use: to
// apply, or to read it.
type exclusive struct {
	token   chan struct{} // holds a token while somebody uses it
	current *current
}

func newExclusive(s *Stack) exclusive {
	return exclusive{token: make(chan struct{}, 1), current: &current{stack: s}}
}

// exclusively runs f while nobody else uses the environment. It returns the context's
// error where that ends before.
func (d *Dev) exclusively(ctx context.Context, f func(*current) error) error {
	select {
	case d.env.token <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-d.env.token }()
	return f(d.env.current)
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
