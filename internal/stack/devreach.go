package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"zr/pkg/health"
	"zr/pkg/livesync"
)

// agent is what a livesync.Client does.
type agent interface {
	Push(ctx context.Context, change livesync.Change) (livesync.Result, error)
	State() livesync.State
}

// throughService is a container that counts as healthy, and a change of it as live,
// once it can be reached through its Services. Its agent vouches for the process, and
// knows nothing of the way there. A container that is new, or of which the kubelet was
// told that it is not ready, comes into its Services only after all on the way have
// heard of it. It is safe for concurrent use.
type throughService struct {
	agent
	leads func(context.Context) error // waits until its Services lead to it
	turn  chan struct{}               // holds a token while somebody does
	close func()                      // ends the connection

	mu      sync.Mutex
	reached standing // the last one in which they did
	why     string   // what was wrong in one in which they did not
}

// standing is what the kubelet makes of a process. As long as it is the same, the
// Services lead where they did.
type standing struct {
	boot string // of the container
	told int    // verdicts
}

func standingOf(s livesync.State) standing { return standing{s.Status.Boot, s.Status.Told} }

func newThroughService(a agent, leads func(context.Context) error) *throughService {
	return &throughService{agent: a, leads: leads, turn: make(chan struct{}, 1)}
}

// Push is part of devloop.Container.
func (c *throughService) Push(ctx context.Context, change livesync.Change) (livesync.Result, error) {
	r, err := c.agent.Push(ctx, change)
	if err != nil || r.Reason != "" || c.Unreached() == "" {
		return r, err
	}
	begin := time.Now()
	err = c.reach(ctx)
	r.Healthy += time.Since(begin)
	if err != nil && ctx.Err() == nil {
		r.Reason = err.Error()
		err = nil
	}
	return r, err
}

// Unreached is part of devloop.Container.
func (c *throughService) Unreached() string {
	now := standingOf(c.State())
	c.mu.Lock()
	defer c.mu.Unlock()
	if now == c.reached {
		return ""
	}
	return cmp.Or(c.why, "the process is healthy, and not known to be reached by its Service yet")
}

// reach waits until the Services lead to the process, which is healthy now.
func (c *throughService) reach(ctx context.Context) (err error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-c.turn }()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.why = ""; err != nil && ctx.Err() == nil {
			c.why = err.Error()
		}
	}()
	for until := time.Now().Add(endpointTimeout); c.Unreached() != ""; pause(ctx, endpointInterval) {
		before := standingOf(c.State())
		if err := c.leads(ctx); err != nil {
			return err
		}
		// What the kubelet has yet to hear, the API does not say either.
		after := c.State()
		switch {
		case !after.Connected || after.Status.Phase != livesync.Healthy:
			return errors.New("the process was healthy, and is not any more")
		case before == standingOf(after) && before.told%2 == 1:
			c.mu.Lock()
			c.reached = before
			c.mu.Unlock()
			return nil
		case time.Now().After(until):
			return errors.New("the process is healthy, and the kubelet does not ask for it")
		}
	}
	return nil
}

// leads waits until a service is reached by its Services: by their endpoints, and
// at its ports of this machine.
func (r *reloading) leads(ctx context.Context, service string) error {
	var targets []health.Target
	var ports []published
	var questions []question
	if err := r.exclusively(ctx, func(now *current) error {
		targets = slices.DeleteFunc(now.project.targetsOn(ctx, r.on), func(t health.Target) bool { return t.Service != service })
		for i, q := range now.project.questions() {
			if p := now.project.ports[i]; slices.Contains(p.workloads, service) {
				ports, questions = append(ports, p), append(questions, q)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeoutCause(ctx, endpointTimeout, errors.New("no answer"))
	defer cancel()
	for reason := error(nil); ; pause(waiting, endpointInterval) {
		statuses, err := r.on.gate.CheckProven(waiting, targets) // the nodes are asked below, about all of it
		bad := slices.IndexFunc(statuses, func(status health.Status) bool { return !asMeant(status) })
		misled := ""
		if err == nil && bad < 0 {
			if misled, err = r.on.gate.Misled(waiting, targets); err == nil && misled == "" {
				break
			}
		}
		if waiting.Err() != nil {
			return fmt.Errorf("the process is healthy, and its Service does not lead to it: %w", errors.Join(reason, ctx.Err()))
		}
		switch {
		case err != nil:
			reason = err
		case bad >= 0:
			reason = errors.New(statuses[bad].Reason)
		default:
			reason = errors.New(misled)
		}
	}
	for i, p := range ports {
		if _, err := waitEndpoint(ctx, p, questions[i], r.on.lines); err != nil {
			return err
		}
	}
	return nil
}
