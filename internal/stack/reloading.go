package stack

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/internal/devloop"
	"zr/pkg/event"
	"zr/pkg/logs"
	"zr/pkg/watch"
)

// reloading is the part of a `zr dev` in which the same services are reloaded, on
// one cluster. Its fields are set before its goroutines begin, and stay.
type reloading struct {
	*Dev
	wired      []wiring
	on         *connection
	watched    bool                         // a cluster that zr can bring back is watched for its loss
	unchanged  bool                         // by what was brought up
	containers map[string]devloop.Container // that are reloaded, by service
	manifests  *devloop.Manifests
}

// errRewired says that other services are built than a reloading is about.
var errRewired = errors.New("other services are built now")

// loopOver keeps the services in step that are reloaded now, until ctx ends,
// what was brought up is gone, or other services are to be reloaded.
func (d *Dev) loopOver(ctx context.Context, batches chan devloop.Batch, commands chan devloop.Command) error {
	r := &reloading{Dev: d, wired: d.facts.Load().wiring, unchanged: d.up.unchanged, containers: map[string]devloop.Container{}}
	var units []devloop.Unit
	var agents map[string]*throughService
	closeUnits := func() {}
	if err := d.exclusively(ctx, func(now *current) (err error) {
		r.on, r.watched = now.on, now.project.can().Own
		units, agents, closeUnits, err = r.units(ctx, now.project)
		return err
	}); err != nil {
		return err
	}
	defer closeUnits()
	for service, agent := range agents {
		r.containers[service] = agent
	}
	group, ctx := errgroup.WithContext(ctx)
	if modules, files := devloop.Outside(d.cfg.Root, units); len(modules)+len(files) > 0 {
		outside, err := watch.New(ctx, watch.Options{Roots: modules, Always: files, Sink: d.sink})
		if err != nil {
			return err
		}
		group.Go(func() error { return feed(ctx, outside, batches) })
	}
	d.up.ready.expect(units)
	include := d.includes(units)
	include()
	d.loop = devloop.New(d.cfg.Root, units, d.sink).After(d.loop)
	d.loop.Ended = func(unit string, err error) error {
		d.up.ready.ended(unit, err)
		include() // what it compiles may be other files now
		if unit == manifestsUnit && err == nil && anyLost(agents) {
			return errRewired // what was applied lets this zr in again
		}
		return d.rewired(r.wired)
	}
	group.Go(func() error { return d.loop.Run(ctx, batches, commands) })
	group.Go(func() error { return r.followLogs(ctx) })
	group.Go(func() error { return d.clusterWatch.run(ctx, r.on.provider, r.watched) })
	group.Go(func() error { return r.watchRelay(ctx) })
	group.Go(func() error { return r.watchOutside(ctx, commands) })
	return group.Wait()
}

// anyLost tells that one of the agents does not let this zr in any more.
func anyLost(agents map[string]*throughService) bool {
	for _, agent := range agents {
		if devloop.Lost(agent.State().Err) {
			return true
		}
	}
	return false
}

func (r *reloading) followLogs(ctx context.Context) error {
	reader := logs.New(r.on.cluster.Client)
	for ctx.Err() == nil {
		// A log that cannot be read is no reason to stop reloading; whether
		// the cluster is there is clusterWatch's to say.
		_ = reader.Follow(ctx, logs.Options{Namespace: r.facts.Load().namespace, Tail: logs.None, Follow: true}, func(l event.LogLine) { r.sink.Emit(l) })
		pause(ctx, time.Second)
	}
	return nil
}

// feed hands what a watcher sees to the loop.
func feed(ctx context.Context, w *watch.Watcher, batches chan<- devloop.Batch) error {
	return w.Run(ctx, func(b watch.Batch) {
		select {
		case <-ctx.Done():
		case batches <- batchOf(b):
		}
	})
}

func batchOf(b watch.Batch) devloop.Batch {
	out := devloop.Batch{Last: b.Last, Rescan: b.Rescan}
	for _, c := range b.Changes {
		out.Paths = append(out.Paths, c.Path)
	}
	return out
}
