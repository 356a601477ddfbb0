package stack

import (
	"context"
	"errors"
	"fmt"

	"zr/pkg/cluster"
	"zr/pkg/event"
)

// Down removes the workloads of the environment; its volumes stay. It waits for
// another run on the environment and is refused beside a `zr dev`.
func (s *Stack) Down(ctx context.Context) error { return s.alone(ctx, s.down) }

// Purge removes everything of the environment, also its data, and a cluster of
// zr's own that nobody else is on.
func (s *Stack) Purge(ctx context.Context) error { return s.alone(ctx, s.purge) }

func (s *Stack) alone(ctx context.Context, do func(context.Context) error) error {
	unlock, err := s.lockRun(ctx, "down")
	if err != nil {
		return err
	}
	defer unlock()
	return do(ctx)
}

// down needs no overlay: what to remove is known from the cluster, so that a
// broken manifest is no reason to be stuck with the workloads.
func (s *Stack) down(ctx context.Context) error {
	return step{"down", "remove the workloads of " + s.set(), func(ctx context.Context) (outcome, error) {
		relayed, err := s.endRelay(ctx)
		if err != nil {
			return outcome{}, err
		}
		c, err := s.newProvider(nil, nil).Find(ctx)
		if errors.Is(err, cluster.ErrNotFound) {
			return outcome{detail: "there is no cluster", unchanged: relayed == nil}, nil
		}
		if err != nil {
			return outcome{}, err
		}
		detail := "the data stays"
		if relayed != nil {
			detail += fmt.Sprintf("; process %d, which relayed ports, has ended", relayed.PID)
		}
		if err := s.remove(ctx, c, false); err != nil {
			return outcome{}, err
		}
		return outcome{detail: detail}, s.endDashboard(ctx, c, false)
	}}.run(ctx, s.sink)
}

func (s *Stack) remove(ctx context.Context, c *cluster.Cluster, purge bool) error {
	namespace := "" // looked for in all, which not everybody may do on a cluster of others
	if !s.can().Own {
		if p, err := s.render(ctx); err == nil {
			namespace = p.rendered.Namespace
		}
	}
	d, err := s.deployerOn(c, namespace)
	if err != nil {
		return err
	}
	if namespace != "" {
		var l runLease
		defer l.release()
		within, done, err := s.takeLease(ctx, &l, d)
		if err != nil {
			return err
		}
		defer done()
		ctx = within
	}
	return s.orLost(ctx, linesOn(s.cfg, c), d.Remove(ctx, event.Sink(s.sink), purge))
}
