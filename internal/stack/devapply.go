package stack

import (
	"context"
	"slices"

	"zr/internal/devloop"
	"zr/pkg/event"
	"zr/pkg/health"
)

// applySaved makes the cluster say what the manifests and the configuration say
// now, and returns the wait for its health: none where other services are
// reloaded now than before, of whose new session that is the first thing.
func (r *reloading) applySaved(ctx context.Context) (func(context.Context) error, error) {
	unchanged, err := r.reapply(ctx, "")
	if err != nil || r.rewired(r.wired) != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return r.waitReachable(ctx, unchanged) }, nil
}

// waitReachable waits until everything is healthy, and can be reached through
// its port of this machine.
func (r *reloading) waitReachable(ctx context.Context, unchanged bool) error {
	if err := r.waitHealthy(ctx, unchanged, ""); err != nil {
		return err
	}
	return r.exclusively(ctx, func(s *Stack) error {
		reached := s.reached
		if err := s.openPorts(ctx, r.on, portsStatus{}); err != nil {
			return err
		}
		if reached != nil { // the first ones are told when everything is ready
			s.tellURLs(reached)
		}
		r.publish(s)
		return nil
	})
}

// waitHealthy is the gate, of one service where it is named.
func (r *reloading) waitHealthy(ctx context.Context, unchanged bool, service string) error {
	var targets []health.Target
	if err := r.exclusively(ctx, func(s *Stack) error {
		targets = slices.DeleteFunc(s.targets(r.on.lines), func(t health.Target) bool { return service != "" && t.Service != service })
		return nil
	}); err != nil {
		return err
	}
	load := func(ctx context.Context) error {
		return r.exclusively(ctx, func(s *Stack) error { return s.load(ctx, r.on, r.stack.images.results, nil) })
	}
	return waitHealthy(ctx, r.on.gate, targets, asked{r.sink, r.containers}, unchanged, load)
}

// redeploy makes a service's image anew, has it deployed, and waits until it is
// healthy.
func (r *reloading) redeploy(ctx context.Context, service string) error {
	unchanged, err := r.reapply(ctx, service)
	if err != nil {
		return err
	}
	return r.waitHealthy(ctx, unchanged, service)
}

// reapply reads the configuration anew and makes the cluster say what it says,
// with the image of the service called anew made again. Where something is
// wrong, what runs stays as it is.
func (r *reloading) reapply(ctx context.Context, anew string) (unchanged bool, err error) {
	err = r.exclusively(ctx, func(s *Stack) error {
		defer r.watchManifests(s) // what is rendered may consist of other files now
		before, builds, rendered, provider := s.cfg, s.builds, s.rendered, s.provider
		err := s.reload()
		if err == nil {
			err = s.render(ctx)
		}
		if err == nil {
			err = s.planPorts(ctx, r.on)
		}
		var built made
		if err == nil {
			built, err = s.rebuild(ctx, r.stack.images, anew)
		}
		if err != nil {
			s.cfg, s.builds, s.rendered, s.provider = before, builds, rendered, provider
			return err
		}
		r.stack.images = built
		running, o, err := s.apply(ctx, r.on, built, nil)
		if err != nil {
			return err
		}
		r.stack.images = running
		unchanged = o.unchanged
		r.publish(s)
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
