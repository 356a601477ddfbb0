package stack

import (
	"context"

	"zr/internal/devloop"
	"zr/pkg/event"
)

// exclusively runs f while nobody else applies, or changes what the stack holds.
func (s *Stack) exclusively(ctx context.Context, f func() error) error {
	select {
	case s.applying <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.applying }()
	return f()
}

// applySaved makes the cluster say what the manifests and the configuration say
// now, and returns the wait for its health: none where other services are
// reloaded now than before, of whose new session that is the first thing.
func (s *Stack) applySaved(ctx context.Context, wired []wiring) (func(context.Context) error, error) {
	unchanged, err := s.reapply(ctx, "")
	if err != nil || s.rewired(wired) != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return s.waitReachable(ctx, unchanged) }, nil
}

// waitReachable waits until everything is healthy, and can be reached through
// its port of this machine.
func (s *Stack) waitReachable(ctx context.Context, unchanged bool) error {
	if err := s.waitHealthy(ctx, unchanged, ""); err != nil {
		return err
	}
	return s.exclusively(ctx, func() error {
		reached := s.reached
		if err := s.openPorts(ctx, portsStatus{}); err != nil {
			return err
		}
		if reached != nil { // the first ones are told when everything is ready
			s.tellURLs(reached)
		}
		s.publish()
		return nil
	})
}

// redeploy makes a service's image anew, has it deployed, and waits until it is
// healthy.
func (s *Stack) redeploy(ctx context.Context, service string) error {
	unchanged, err := s.reapply(ctx, service)
	if err != nil {
		return err
	}
	return s.waitHealthy(ctx, unchanged, service)
}

// reapply reads the configuration anew and makes the cluster say what it says,
// with the image of the service called anew made again. Where something is
// wrong, what runs stays as it is.
func (s *Stack) reapply(ctx context.Context, anew string) (unchanged bool, err error) {
	err = s.exclusively(ctx, func() error {
		defer s.watchManifests() // what is rendered may consist of other files now
		before, builds, rendered, provider := s.cfg, s.builds, s.rendered, s.provider
		err := s.reload()
		if err == nil {
			err = s.render(ctx)
		}
		if err == nil {
			err = s.planPorts(ctx)
		}
		if err == nil {
			err = s.rebuild(ctx, anew)
		}
		if err != nil {
			s.cfg, s.builds, s.rendered, s.provider = before, builds, rendered, provider
			return err
		}
		o, err := s.apply(ctx)
		if err != nil {
			return err
		}
		unchanged = o.unchanged
		s.publish()
		return nil
	})
	return unchanged, err
}

// reload reads the configuration from disk.
func (s *Stack) reload() error {
	cfg, err := Load(s.cfg.Root, s.cfg.Env, s.cfg.Instance)
	if err != nil {
		return err
	}
	if err := s.keepSecrets(cfg); err != nil {
		return err
	}
	s.cfg = cfg
	s.builds = s.requests()
	return nil
}

// asked is the sink of a gate beside containers that are reloaded: the kubelet
// and the probe vouch for what a container runs, and only its session knows
// whether that is what was saved.
type asked struct {
	event.Sink
	containers map[string]devloop.Container
}

// Emit is part of event.Sink.
func (a asked) Emit(e event.Event) {
	if state, ok := e.(event.ServiceState); ok && state.State == event.Healthy {
		if c := a.containers[state.Service]; c != nil {
			e = devloop.StateOf(state.Service, c.State())
		}
	}
	a.Sink.Emit(e)
}
