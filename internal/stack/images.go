package stack

import (
	"context"
	"time"

	"zr/pkg/build"
	"zr/pkg/image"
)

// unusedWork is how long the work folder of a build may lie idle before a prune
// takes it. One of a Node service is some 600 MB, and minutes to fill.
const unusedWork = 7 * 24 * time.Hour

// openStore opens the image store of this user.
func openStore() (*image.Store, error) {
	dir, err := image.DefaultDir()
	if err != nil {
		return nil, err
	}
	return image.Open(dir)
}

// Images lists what the image store holds. It needs no project.
func Images() ([]image.Entry, error) {
	store, err := openStore()
	if err != nil {
		return nil, err
	}
	defer store.Close()
	return store.List()
}

// PruneImages brings the image store down to its budget and drops builds that newer
// ones replaced, or, with all, everything that no running zr uses. It drops work folders
// of builds that have lain idle.
func PruneImages(ctx context.Context, all bool) (image.Pruned, error) {
	store, err := openStore()
	if err != nil {
		return image.Pruned{}, err
	}
	defer store.Close()
	options := image.PruneOptions{Budget: -1, Superseded: true}
	if all {
		options = image.PruneOptions{Budget: 0}
	}
	pruned, err := store.Prune(ctx, options)
	if err != nil {
		return image.Pruned{}, err
	}
	work, err := build.Deps{Store: store}.Clean(ctx, unusedWork)
	pruned.Freed += work
	if pruned.Removed == nil {
		pruned.Removed = []image.Entry{} // a list in JSON too
	}
	return pruned, err
}

// BuiltImage is an image that was built of a service.
type BuiltImage struct {
	Build    string `json:"build"` // the hash of its inputs
	Cached   bool   `json:"cached"`
	Name     string `json:"name"` // pinned by digest
	Service  string `json:"service"`
	TopLayer int64  `json:"topLayer"` // bytes: what a change of the service's own code sends
}

// BuildImages builds the images of the environment, and no more.
func (s *Stack) BuildImages(ctx context.Context) ([]BuiltImage, error) {
	return s.buildAnd(ctx, func(built made) ([]string, error) {
		names := make([]string, len(built.results))
		for n, r := range built.results {
			names[n] = r.Local()
		}
		return names, nil
	})
}

// buildAnd builds what changed, and returns it by the names that do returns for it.
// Manifests say whether the image's own command is run. Images are also built where
// there are none, or broken ones; nothing is fetched for them.
func (s *Stack) buildAnd(ctx context.Context, do func(made) ([]string, error)) ([]BuiltImage, error) {
	if err := s.cfg.CheckSources(); err != nil {
		return nil, err
	}
	s = s.withoutFetch()
	p, err := s.renderWith(ctx, s.renderOptions())
	if err != nil {
		p = s.unrendered()
	}
	var built made
	if err := (step{stepBuild, "build images", func(ctx context.Context) (o outcome, err error) {
		built, o, err = p.build(ctx, nil)
		return o, err
	}}).run(ctx, s.sink); err != nil {
		return nil, err
	}
	names, err := do(built)
	if err != nil {
		return nil, err
	}
	images := []BuiltImage{}
	for n, r := range built.results {
		size, err := topLayer(r)
		if err != nil {
			return nil, err
		}
		images = append(images, BuiltImage{Build: r.InputHash, Cached: r.Cached, Name: names[n], Service: r.Service, TopLayer: size})
	}
	return images, nil
}

// topLayer is the size in bytes of an image's last layer.
func topLayer(r build.Result) (int64, error) {
	layers, err := r.Image.Layers()
	if err != nil || len(layers) == 0 {
		return 0, err
	}
	return layers[len(layers)-1].Size()
}
