package stack

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/internal/devloop"
	"zr/pkg/build"
	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/config"
	"zr/pkg/devattach/attachment"
	"zr/pkg/event"
	"zr/pkg/watch"
)

// Dev is a `zr dev`: an environment that is brought up and kept in step with
// what is saved. Many goroutines share it. They read what is published as facts,
// and use the environment itself only one at a time, by exclusively.
type Dev struct {
	cfg   *config.Config // as it was opened: for its root, its name and its files' places
	sink  event.Sink
	env   exclusive
	facts atomic.Pointer[facts]

	budget     *devloop.Budget        // of the compilers that saves start
	attachment *attachment.Attachment // to the api
	traces     traces                 // of what was made live
	scratch    string                 // folder for programs on their way to a container
	watcher    *watch.Watcher         // of the project

	// Of the goroutine that brings the environment up and keeps it in step.
	up           broughtUp
	loop         *devloop.Loop // the one that runs, or the last one
	clusterWatch clusterWatch
}

// broughtUp is what a run of up leaves to the loop that follows.
type broughtUp struct {
	ready     *readiness
	unchanged bool // nothing was applied
}

// Command is an order of the user to a `zr dev`.
type Command = devloop.Command

// Decision is what a save of a file would do, and why.
type Decision = devloop.Decision

// OpenDev opens an environment for `zr dev`, with dev images in place of those
// that are reloaded.
func OpenDev(cfg *config.Config, sink event.Sink, options Options) (*Dev, error) {
	s, err := Open(cfg, sink, options)
	if err != nil {
		return nil, err
	}
	dev, err := s.forDev()
	if err != nil {
		s.Close()
		return nil, err
	}
	return newDev(dev), nil
}

func newDev(s *Stack) *Dev {
	d := &Dev{cfg: s.cfg, attachment: s.attachment, env: newExclusive(s), budget: devloop.NewBudget(build.DefaultJobs()), clusterWatch: clusterWatch{sink: s.sink}}
	d.sink = both(s.sink, &d.traces)
	return d
}

// Close lets go of what the `zr dev` holds. It is called after Run has returned.
func (d *Dev) Close() {
	now := d.env.current
	now.on.close()
	now.lease.release()
	now.stack.Close()
}

// Dashboard is the URL of the dashboard beside the environment, or of the service that
// answers at the lowest port; empty while none is known to. Any goroutine may ask.
func (d *Dev) Dashboard() string {
	if f := d.facts.Load(); f != nil {
		return f.dashboard
	}
	return ""
}

// Explain says what a change of a path would do to each service that it concerns.
// The path is read as config.Locate does.
func (s *Stack) Explain(ctx context.Context, path, project string) ([]Decision, error) {
	path, err := config.Locate(s.cfg.Root, path, ".", project)
	if err != nil {
		return nil, err
	}
	if s, err = s.forDev(); err != nil {
		return nil, err
	}
	p, err := s.render(ctx)
	if err != nil {
		return nil, err
	}
	r := &reloading{Dev: newDev(s)}
	var units []devloop.Unit
	for _, request := range p.builds {
		unit, err := r.unit(ctx, p, request, nil)
		if err != nil {
			return nil, err
		}
		units = append(units, unit)
	}
	return devloop.New(s.cfg.Root, append(units, r.manifestsUnit(p)), p.sink).Explain(path), nil
}

// Run brings the environment up and keeps it in step until ctx ends. What breaks on
// the way, be it the user's code or the cluster, is told and fixed. It is refused
// beside another run on the environment.
func (d *Dev) Run(ctx context.Context, commands chan Command) error {
	unlock, remove, err := d.begin(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	defer remove()
	group, ctx := errgroup.WithContext(ctx)
	d.attachment.Serve(d.actions(commands))
	batches := make(chan devloop.Batch)
	group.Go(func() error { return feed(ctx, d.watcher, batches) })
	life := &lifecycle{env: d, sink: d.sink, batches: batches, commands: commands}
	group.Go(func() error { return life.run(ctx) })
	return group.Wait()
}

// begin takes the environment for this `zr dev` and has its files watched.
func (d *Dev) begin(ctx context.Context) (unlock, remove func(), err error) {
	err = d.exclusively(ctx, func(now *current) (err error) {
		if unlock, err = now.stack.lockDev(); err != nil {
			return err
		}
		if d.scratch, remove, err = makeScratch(now.stack.set()); err != nil {
			unlock()
			return err
		}
		p, err := now.stack.renderWithSecrets(ctx)
		if err == nil {
			now.take(p)
			p.tellHelpers()
			d.watcher, err = watch.New(ctx, watch.Options{Roots: []string{p.cfg.Root}, Always: devloop.WithTargets(p.cfg.Root, p.secretsFiles()), Quick: d.syncs, Sink: p.sink})
		}
		if err != nil {
			remove()
			unlock()
		}
		return err
	})
	return unlock, remove, err
}

// bringUp is part of environment.
func (d *Dev) bringUp(ctx context.Context) error {
	return d.exclusively(ctx, func(now *current) error {
		start := time.Now()
		var runs deployed
		p, err := now.stack.prepare(ctx)
		if err == nil {
			now.take(p)
			now.reached = nil
			d.publish(now)
			runs, err = p.deploy(ctx, &now.lease)
		}
		var login string
		if err == nil {
			if now.dashboard, login, err = p.upDashboard(ctx, runs.on); err != nil {
				runs.on.close()
			}
		}
		if none := (*noCluster)(nil); !errors.As(err, &none) && (errors.Is(err, engine.ErrNone) || errors.Is(err, cluster.ErrDown)) {
			err = &noCluster{err}
		}
		if err != nil {
			return err
		}
		now.project = p.onPlatforms(runs.on.platforms)
		now.on, now.plan, now.images = runs.on, runs.plan, runs.images
		d.publish(now)
		p.meetOwnAPI()
		d.up = broughtUp{unchanged: runs.unchanged, ready: &readiness{say: func() {
			d.sink.Emit(event.Ready{Endpoints: d.facts.Load().urls, Login: login, Took: time.Since(start)})
		}}}
		return nil
	})
}

// keepInStep is part of environment.
func (d *Dev) keepInStep(ctx context.Context, batches chan devloop.Batch, commands chan devloop.Command) error {
	for {
		err := d.loopOver(ctx, batches, commands)
		if !errors.Is(err, errRewired) {
			return err
		}
		d.up.unchanged = false // what was applied for the others was not waited for
	}
}

// reload is part of environment.
func (d *Dev) reload(ctx context.Context) error {
	return d.exclusively(ctx, func(now *current) error {
		next, err := now.stack.reload(ctx)
		if err == nil {
			now.stack = next
		}
		return err
	})
}

// disconnect is part of environment.
func (d *Dev) disconnect(ctx context.Context) error {
	return d.exclusively(ctx, func(now *current) error {
		now.on.close()
		now.on = nil
		now.lease.release() // it went with the namespace
		return nil
	})
}
