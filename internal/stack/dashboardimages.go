package stack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"zr/kustomize"
	"zr/pkg/build"
	"zr/pkg/config"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/image"
)

// shippedImages is the folder beside zr's program in which a release has the images of
// the dashboard, an OCI layout.
const shippedImages = "dashboard"

// dashboardSource is where the images of the dashboard are from. One of the two is set.
type dashboardSource struct {
	sources string // the folder of zr's own sources, from which they are built
	shipped string // the folder of a layout that has them
}

// findDashboard finds it: the sources, in whose bin/ zr was built, or what a release has
// beside its program.
func findDashboard() (dashboardSource, error) {
	zr, err := os.Executable()
	if err == nil {
		zr, err = filepath.EvalSymlinks(zr)
	}
	if err != nil {
		return dashboardSource{}, fmt.Errorf("finding the dashboard: %w", err)
	}
	root := filepath.Dir(filepath.Dir(zr))
	if module, err := os.ReadFile(filepath.Join(root, "go.mod")); err == nil && strings.HasPrefix(string(module), "module zr\n") {
		return dashboardSource{sources: root}, nil
	}
	beside := filepath.Join(filepath.Dir(zr), shippedImages)
	if image.IsLayout(beside) {
		return dashboardSource{shipped: beside}, nil
	}
	return dashboardSource{}, fault.WithCode(fmt.Errorf("finding the dashboard: %s is not in the bin folder of zr's own checkout, and has no folder %q with images beside it", zr, shippedImages), fault.Usage,
		"a release has that folder beside zr, so keep both together; `make build` in a checkout of zr makes a bin/zr that builds them")
}

// services are those of the dashboard.
func (d dashboardSource) services() map[string]config.Service {
	api, frontend := config.Service{DependsOn: []string{"postgres", "redis"}}, config.Service{DependsOn: []string{"api"}}
	if d.sources != "" {
		api.Build = &config.Build{GoKeys: config.GoKeys{Go: "./cmd/zr-api"}}
		frontend.Build = &config.Build{NodeKeys: config.NodeKeys{Node: "frontend"}}
	}
	return map[string]config.Service{"postgres": {Probe: "postgres"}, "redis": {Probe: "redis"}, "api": api, "frontend": frontend}
}

// use has an environment run the images. Those of a release are taken into the store, and
// named in its overlay.
func (d dashboardSource) use(ctx context.Context, store *image.Store, cfg *config.Config) error {
	if cfg.Root = d.sources; cfg.Root == "" {
		cfg.Root = cfg.Overlay // it holds no sources
	}
	cfg.File = filepath.Join(cfg.Root, "config", cfg.Env+".yaml")
	if d.shipped == "" {
		return nil
	}
	taken, err := store.Take(ctx, d.shipped, cfg.Project)
	if err != nil {
		return fault.Hint(err, "the folder "+d.shipped+" is that of a release of zr: unpack it anew")
	}
	return kustomize.WithImages(cfg.Overlay, taken)
}

// ShipDashboard builds the images of the dashboard for a platform from zr's sources, and
// writes them to a folder, as a release has it. Images of another platform than this
// machine's have bases that a registry gives.
func ShipDashboard(ctx context.Context, sources, platform, dir string, sink event.Sink) error {
	cfg := &config.Config{Project: "zr", Env: "dashboard", Root: sources, File: filepath.Join(sources, "config", "dev.yaml"), Services: dashboardSource{sources: sources}.services()}
	s, err := Open(cfg, sink, Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	if platform != hostPlatform {
		if err := s.buildFor(platform); err != nil {
			return err
		}
	}
	requests := s.requests()
	for i := range requests {
		requests[i].Platform = platform
	}
	results, err := build.All(ctx, kinds.With(s.deps(nil)), requests, build.Parallel{Sink: sink, Step: stepBuild})
	if err != nil {
		return err
	}
	images := map[string]build.Image{}
	for _, r := range results {
		images[r.Service] = r.Image
	}
	return image.WriteLayout(dir, images)
}

// buildFor has images built for another platform, in a store of their own: a store has a
// base for one.
func (s *Stack) buildFor(platform string) error {
	on, err := image.ParsePlatform(platform)
	if err != nil {
		return err
	}
	dir, err := image.DefaultDir()
	if err != nil {
		return err
	}
	store, err := image.Open(dir + "-" + on.Architecture)
	if err != nil {
		return err
	}
	s.store.Close()
	s.store = store
	s.resolver = &image.Resolver{Store: store, Registry: image.Registry{Platform: on}, Sink: s.sink, Step: stepImages}
	return nil
}
