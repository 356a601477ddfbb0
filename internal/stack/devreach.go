package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"zr/internal/devloop"
	"zr/pkg/health"
	"zr/pkg/livesync"
)

// throughService is a container of which a change counts as live once it can be
// reached through its Service. Its agent vouches for the process, and knows
// nothing of the way there: where the kubelet was told that the process is not
// ready, its pod comes back into the Service only after all on the way have heard
// of it.
type throughService struct {
	devloop.Container
	leads func(context.Context) error
}

// Push is part of devloop.Container.
func (c throughService) Push(ctx context.Context, change livesync.Change) (livesync.Result, error) {
	r, err := c.Container.Push(ctx, change)
	if err != nil || !r.Rejoins || r.Reason != "" {
		return r, err
	}
	begin := time.Now()
	err = c.leads(ctx)
	r.Healthy += time.Since(begin)
	if err != nil && ctx.Err() == nil {
		r.Reason = err.Error()
		err = nil
	}
	return r, err
}

// leads waits until a service is reached by its Services: by their endpoints, and
// at its ports of this machine.
func (r *reloading) leads(ctx context.Context, service string) error {
	var targets []health.Target
	var ports []published
	var questions []question
	if err := r.exclusively(ctx, func(now *current) error {
		targets = slices.DeleteFunc(now.project.targets(r.on.lines), func(t health.Target) bool { return t.Service != service })
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
