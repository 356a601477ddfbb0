package stack

import (
	"context"
	"slices"

	"zr/internal/devloop"
	"zr/pkg/event"
	"zr/pkg/health"
)

// applySaved makes the cluster say what the manifests and the configuration say now. It
// returns the wait for its health. There is none where other services are reloaded now
// than before, of whose new client that is the first thing.
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
	return r.exclusively(ctx, func(now *current) error {
		ports, err := now.project.openPorts(ctx, r.on, now.plan, portsStatus{})
		now.relayed = ports.relayed
		if err != nil {
			return err
		}
		if now.reached != nil { // the first ones are told when everything is ready
			tellURLs(r.sink, now.reached, ports.asked)
		}
		now.reached = ports.asked
		r.publish(now)
		return nil
	})
}

// waitHealthy is the gate, of one service where it is named.
func (r *reloading) waitHealthy(ctx context.Context, unchanged bool, service string) error {
	var targets []health.Target
	if err := r.exclusively(ctx, func(now *current) error {
		targets = slices.DeleteFunc(now.project.targetsOn(ctx, r.on), func(t health.Target) bool { return service != "" && t.Service != service })
		return nil
	}); err != nil {
		return err
	}
	load := func(ctx context.Context) error {
		return r.exclusively(ctx, func(now *current) error { return now.project.load(ctx, r.on, now.images.results, nil) })
	}
	return waitHealthy(ctx, r.on.gate, targets, asked{r.sink, r.containers}, r.on.lookFor(unchanged, false), load)
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
	err = r.exclusively(ctx, func(now *current) error {
		// What is rendered may consist of other files then.
		defer func() { r.watchManifests(now.project) }()
		next, err := now.stack.reload(ctx)
		if err != nil {
			return err
		}
		p, err := next.render(ctx)
		if err != nil {
			return err
		}
		p = p.onPlatforms(r.on.platforms)
		plan, err := p.planPorts(ctx, r.on)
		if err != nil {
			return err
		}
		built, err := p.rebuild(ctx, now.images, anew)
		if err != nil {
			return err
		}
		now.take(p)
		now.plan, now.images = plan, built
		running, o, err := p.apply(ctx, r.on, &now.lease, built, nil)
		if !o.unchanged {
			now.plan.held = nil // the cluster may have chosen other ports
		}
		if err != nil {
			return err
		}
		now.images, unchanged = running, o.unchanged
		r.publish(now)
		return nil
	})
	return unchanged, err
}

// reload returns the same with its configuration as it is on disk.
func (s *Stack) reload(ctx context.Context) (*Stack, error) {
	cfg, err := Load(s.cfg.Root, s.cfg.Env, s.cfg.Instance, s.cfg.Namespace, s.cfg.Only)
	if err != nil {
		return nil, err
	}
	if err := s.keepSecrets(cfg); err != nil {
		return nil, err
	}
	next, err := s.withConfig(cfg).unsealFrom(ctx, s.cfg)
	if err != nil {
		return nil, err
	}
	anew := *next
	anew.options.Overwrite = false // it was about what the run has found
	return &anew, nil
}

// asked is the sink of a gate beside containers that are reloaded: the kubelet
// and the probe vouch for what a container runs, and only its client knows
// whether that is what was saved.
type asked struct {
	event.Sink
	containers map[string]devloop.Container
}

// Emit is part of event.Sink.
func (a asked) Emit(e event.Event) {
	if state, ok := e.(event.ServiceState); ok && state.State == event.Healthy {
		if c := a.containers[state.Service]; c != nil {
			e = devloop.StateOf(state.Service, c)
		}
	}
	a.Sink.Emit(e)
}
