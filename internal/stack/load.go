package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"zr/pkg/build"
	"zr/pkg/cluster"
	"zr/pkg/deploy"
	"zr/pkg/event"
	"zr/pkg/image"
)

// earlyLoad lets images travel to a new cluster's nodes while its control plane
// still boots. What goes wrong there is not reported: the load before the
// apply does it again, and says so.
type earlyLoad struct {
	run     context.Context // of the run that it is a part of
	ready   chan struct{}   // closed when the build has ended
	results []build.Result

	begun    atomic.Bool
	external chan struct{} // closed when the nodes hold the images of others
	ended    chan struct{} // closed when a load that was begun has ended
	stats    image.Stats
	err      error
}

func newEarlyLoad(run context.Context) *earlyLoad {
	return &earlyLoad{run: run, ready: make(chan struct{}), external: make(chan struct{}), ended: make(chan struct{})}
}

// built hands over what was built, or nothing where that failed.
func (early *earlyLoad) built(results []build.Result) {
	early.results = results
	close(early.ready)
}

// fetchExternal gets the images of others into the store, for a cluster that
// is about to be made. It goes on when that is there before the images are.
func (p *project) fetchExternal(ctx context.Context) {
	for _, ref := range p.external {
		go func() { _, _ = p.resolver.Fetch(ctx, ref) }()
	}
}

// loadEarly is called as soon as the nodes of a new cluster take images. It goes
// on when the cluster is there before the images are.
func (p *project) loadEarly(ctx context.Context, nodes []cluster.Node, early *earlyLoad) {
	early.begun.Store(true)
	defer close(early.ended)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(early.run, cancel)()
	early.stats, early.err = p.loadFirst(ctx, imageNodes(nodes), early)
}

// loadFirst fills empty nodes: first with the images of others, since databases
// are what the rest waits for. One after the other, because the processors are
// busy with the control plane anyway, and what images share is then sent once.
func (p *project) loadFirst(ctx context.Context, nodes []image.Node, early *earlyLoad) (image.Stats, error) {
	external, err := p.resolver.Ensure(ctx, nodes, p.external...)
	if err != nil {
		return external, err
	}
	close(early.external)
	select {
	case <-ctx.Done():
		return external, ctx.Err()
	case <-early.ready:
	}
	own, err := p.loadBuilt(ctx, nodes, early.results)
	return external.Plus(own), err
}

// loadInto loads the images of others and, at the same time, those that were built.
func (p *project) loadInto(ctx context.Context, nodes []image.Node, results []build.Result) (image.Stats, error) {
	group, ctx := errgroup.WithContext(ctx)
	var external, own image.Stats
	group.Go(func() (err error) {
		external, err = p.resolver.Ensure(ctx, nodes, p.external...)
		return err
	})
	group.Go(func() (err error) {
		own, err = p.loadBuilt(ctx, nodes, results)
		return err
	})
	err := group.Wait()
	return external.Plus(own), err
}

// load makes the nodes hold every image that the manifests name. early is the load
// that was begun while the cluster was made, or nil.
func (p *project) load(ctx context.Context, on *connection, results []build.Result, early *earlyLoad) error {
	if !p.can().Loads {
		return nil // its nodes pull
	}
	return step{stepImages, "load images", func(ctx context.Context) (outcome, error) {
		stats, err := early.loaded(ctx)
		if err != nil {
			stats, err = p.loadInto(ctx, on.nodes(), results)
		}
		if err != nil {
			return outcome{}, err
		}
		p.sink.Emit(event.StepProgress{Step: stepImages, Done: stats.Bytes, Total: stats.Bytes, Unit: "bytes"})
		if stats.Bytes == 0 {
			return outcome{detail: "the nodes hold them", unchanged: true}, nil
		}
		return outcome{detail: fmt.Sprintf("%d layers sent", stats.Layers)}, nil
	}}.run(ctx, p.sink)
}

// applyWhileLoading makes a new cluster say what the overlay says while images
// are still on their way: a workload of others' images need not wait for those
// that were built. Where something runs already this would leave it half
// changed when an image cannot be loaded.
func (p *project) applyWhileLoading(ctx context.Context, on *connection, changes *deploy.ChangeSet, results []build.Result, early *earlyLoad) error {
	group, ctx := errgroup.WithContext(ctx)
	loaded := make(chan struct{})
	group.Go(func() error {
		if err := p.load(ctx, on, results, early); err != nil {
			return err
		}
		close(loaded)
		return nil
	})
	group.Go(func() error {
		return on.deployer.ApplyAhead(ctx, p.rendered, changes, p.sink, func(ctx context.Context, images []string) error {
			var theirs chan struct{} // nil, which is never ready, where one was built
			if !slices.ContainsFunc(images, func(ref string) bool { return !slices.Contains(p.external, ref) }) {
				theirs = early.external
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-loaded:
			case <-theirs:
			}
			return nil
		})
	})
	return group.Wait()
}

// errNotEarly says that no load was begun before this one.
var errNotEarly = errors.New("nothing was loaded yet")

// loaded waits for the load that was begun while the cluster was made, and returns
// an error where everything is still to be done.
func (early *earlyLoad) loaded(ctx context.Context) (image.Stats, error) {
	if early == nil || !early.begun.Load() {
		return image.Stats{}, errNotEarly
	}
	select {
	case <-ctx.Done():
		return image.Stats{}, ctx.Err()
	case <-early.ended:
		return early.stats, early.err
	}
}

func (p *project) loadBuilt(ctx context.Context, nodes []image.Node, results []build.Result) (image.Stats, error) {
	items := make([]image.Item, 0, len(results))
	for _, r := range results {
		items = append(items, image.Item{Name: r.Local(), Image: r.Image})
	}
	return image.Loader{Store: p.store, Sink: p.sink, Step: stepImages}.LoadAll(ctx, nodes, items...)
}

// pin fills the digests of what was built into the manifests. A cluster of
// others pulls, so there the images are pushed first where it is given, and
// what the registry makes of them is what is pinned. on may be nil.
func (p *project) pin(ctx context.Context, built made, on *connection) error {
	images := map[build.Mode]map[string]string{build.Release: {}, build.Dev: {}}
	for _, r := range built.results {
		images[r.Mode][r.Service] = r.Local()
	}
	if !p.can().Loads {
		mender, end := p.mender(on)
		defer end()
		names, err := p.pushed(ctx, built, on != nil, mender)
		if err != nil {
			return err
		}
		for n, r := range built.results {
			images[r.Mode][r.Service] = names[n]
		}
	}
	p.rendered.Pin(images[build.Release], images[build.Dev])
	return nil
}
