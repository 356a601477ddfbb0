package cli

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"zr/pkg/build"
	"zr/pkg/cluster"
	"zr/pkg/event"
	"zr/pkg/image"
)

// earlyLoad lets images travel to a new cluster's nodes while its control plane
// still boots. What goes wrong there is not reported: the load before the
// apply does it again, and says so.
type earlyLoad struct {
	ready   chan struct{} // closed when the build has ended
	results []build.Result
}

func newEarlyLoad() *earlyLoad { return &earlyLoad{ready: make(chan struct{})} }

// built hands over what was built, or nothing where that failed.
func (e *earlyLoad) built(results []build.Result) {
	e.results = results
	close(e.ready)
}

// fetchExternal gets the images of others into the store, for a cluster that
// is about to be made.
func (s *stack) fetchExternal(ctx context.Context) {
	for _, ref := range s.rendered.ExternalImages() {
		go func() { _, _ = s.resolver.Fetch(ctx, ref) }()
	}
}

// loadEarly is called as soon as the nodes of a new cluster take images.
func (s *stack) loadEarly(ctx context.Context, nodes []cluster.Node) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		_, err := s.resolver.Ensure(ctx, imageNodes(nodes), s.rendered.ExternalImages()...)
		return err
	})
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.early.ready:
		}
		_, err := s.loadBuilt(ctx, imageNodes(nodes), s.early.results)
		return err
	})
	_ = group.Wait()
}

// load makes the nodes hold every image that the manifests name.
func (s *stack) load(ctx context.Context) error {
	if !s.local() {
		return nil // its nodes pull
	}
	return step{stepImages, "load images", func(ctx context.Context) (outcome, error) {
		external, err := s.resolver.Ensure(ctx, s.nodes(), s.rendered.ExternalImages()...)
		if err != nil {
			return outcome{}, err
		}
		own, err := s.loadBuilt(ctx, s.nodes(), s.built)
		if err != nil {
			return outcome{}, err
		}
		sent, layers := external.Bytes+own.Bytes, external.Layers+own.Layers
		s.sink.Emit(event.StepProgress{Step: stepImages, Done: sent, Total: sent, Unit: "bytes"})
		if sent == 0 {
			return outcome{detail: "the nodes hold them", unchanged: true}, nil
		}
		return outcome{detail: fmt.Sprintf("%d layers sent", layers)}, nil
	}}.run(ctx, s.sink)
}

func (s *stack) loadBuilt(ctx context.Context, nodes []image.Node, results []build.Result) (image.Stats, error) {
	items := make([]image.Item, 0, len(results))
	for _, r := range results {
		items = append(items, image.Item{Name: r.Local(), Image: r.Image})
	}
	return image.Loader{Sink: s.sink, Step: stepImages}.LoadAll(ctx, nodes, items...)
}

// pin fills the digests of what was built into the manifests. A cluster of
// others pulls, so there the images are pushed first, and what the registry
// made of them is what is pinned.
func (s *stack) pin(ctx context.Context) error {
	images := make(map[string]string, len(s.built))
	for _, r := range s.built {
		images[r.Service] = r.Local()
	}
	if !s.local() {
		pusher := image.Pusher{Store: s.store, Sink: s.sink, Step: stepImages}
		for _, r := range s.built {
			name, _, err := pusher.Push(ctx, r.Image, s.cfg.Cluster.Registry+"/"+r.Service, r.InputHash)
			if err != nil {
				return err
			}
			images[r.Service] = name
		}
	}
	s.rendered.Pin(images)
	return nil
}
