package stack

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"zr/pkg/build"
	"zr/pkg/fault"
	"zr/pkg/image"
	"zr/pkg/image/acr"
	"zr/pkg/image/bom"
)

// pushes is how many images travel at once. Each sends four layers at a time.
const pushes = 2

// pusher sends images to the registry of the environment. One of Azure's is
// signed in to as the cluster is; any other by what the engines' files have.
func (s *Stack) pusher() image.Pusher {
	p := image.Pusher{Store: s.store, Shared: &image.Shared{}, Sink: s.sink, Step: stepImages}
	if host := s.registryHost(); acr.Is(host) {
		p.Registry = acr.Registry(host, s.registryToken)
	}
	return p
}

// pushed makes the registry hold what was built, where send says so, and
// returns the names by which it does, in the order of results. mender may be nil.
func (s *Stack) pushed(ctx context.Context, built made, send bool, mender image.Mender) ([]string, error) {
	pusher, names := s.pusher(), make([]string, len(built.results))
	pusher.Mender = mender
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(pushes)
	for n, r := range built.results {
		group.Go(func() (err error) {
			repository, pusher := s.cfg.Cluster.Registry+"/"+r.Service, pusher
			if r.Mode == build.Release {
				pusher.Made = &bom.Build{Service: r.Service, Project: s.cfg.Project, Spec: s.cfg.Services[r.Service].Build, Inputs: r.InputHash}
			}
			if send {
				names[n], _, err = pusher.PushAll(ctx, imagesOf(r, built.beside[r.Service]), repository, r.InputHash+tagSuffix[r.Mode])
			} else {
				names[n], err = pusher.NameAll(ctx, imagesOf(r, built.beside[r.Service]), repository)
			}
			return err
		})
	}
	return names, group.Wait()
}

// imagesOf are those of one service, for one platform each.
func imagesOf(r build.Result, beside []build.Result) []build.Image {
	images := []build.Image{r.Image}
	for _, other := range beside {
		images = append(images, other.Image)
	}
	return images
}

// tagSuffix keeps the two images of one service apart, which have the same inputs.
var tagSuffix = map[build.Mode]string{build.Dev: "-dev"}

// PushImages builds the images of the environment and has its registry hold them. It
// asks no cluster.
func (s *Stack) PushImages(ctx context.Context) ([]BuiltImage, error) {
	return s.buildAnd(ctx, func(built made) (names []string, err error) {
		if s.cfg.Cluster.Registry == "" {
			return nil, fault.WithCode(fmt.Errorf("pushing the images of %s: its config names no registry", s.set()), fault.Usage,
				"its cluster gets them without one; --env names another environment")
		}
		err = step{stepImages, "push images", func(ctx context.Context) (o outcome, err error) {
			names, err = s.pushed(ctx, built, true, nil)
			return outcome{detail: s.cfg.Cluster.Registry}, err
		}}.run(ctx, s.sink)
		return names, err
	})
}
