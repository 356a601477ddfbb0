// Package node makes images of Node.js services: of Next.js applications from
// their standalone output, of others from their sources and what npm installs
// for them. Dependencies are a layer of their own, which changes only with
// the lock file. Builds run in a copy in the cache, so that the user's tree
// stays as it is.
package node

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"zr/pkg/build"
	"zr/pkg/build/internal/oci"
	"zr/pkg/config"
	"zr/pkg/image"
)

// layout changes when the images of this package do for the same inputs.
const layout = "node 3"

// DefaultBase is what services run on that name no base.
const DefaultBase = "node:24"

// user is the one that Node.js images bring along.
const user = "1000:1000"

// Where things are in the images. In a dev image the sources are a seed, from
// which the agent fills sourceDir, an emptyDir in the pod; node_modules is
// found in the folder above it.
const (
	appDir    = "/app"
	sourceDir = "/app/src"
)

// Builder makes images of Node.js services. It is safe for concurrent use.
type Builder struct{ deps build.Deps }

// oldest is what Next.js 16 asks for.
const oldest = "20"

// Kind is a Node.js service.
var Kind = build.Kind{
	Name:  "node",
	Tools: func(config.Build) []build.Tool { return []build.Tool{{Name: "node", Min: oldest}, {Name: "npm"}} },
	New:   func(deps build.Deps) build.Builder { return New(deps) },
}

// New returns a Builder.
func New(deps build.Deps) *Builder { return &Builder{deps} }

// Inputs returns the files of the service's folder that no ignore file leaves
// out.
func (b *Builder) Inputs(ctx context.Context, r build.Request) (*build.InputSet, error) {
	l := newLister(r)
	set, err := b.deps.Inputs(ctx, r, l)
	for _, path := range l.Left() {
		if rel, err := filepath.Rel(r.Root, path); err == nil {
			path = rel
		}
		b.deps.Notice(fmt.Sprintf("%q is left out of %s: it is a pipe, a socket or a device", path, r.Service), "images hold files; .zrignore hides it")
	}
	return set, err
}

// Build makes the image.
func (b *Builder) Build(ctx context.Context, r build.Request) (build.Result, error) {
	set, err := b.Inputs(ctx, r)
	if err != nil {
		return build.Result{}, err
	}
	return b.deps.Make(ctx, build.Frame{
		Request: r, Inputs: set, Base: b.baseName(r),
		Further:  []string{layout, fmt.Sprintf("%q", r.Spec.Dev.Command)},
		Assemble: func(ctx context.Context) (v1.Image, error) { return b.assemble(ctx, r, set) },
	})
}

func (b *Builder) baseName(r build.Request) string {
	if r.Spec.Base != "" {
		return r.Spec.Base
	}
	return DefaultBase
}

// job is one build.
type job struct {
	*Builder
	build.Request
	project *project
	set     *build.InputSet
	work    string // folder of the cache that is locked for this build
}

func (b *Builder) assemble(ctx context.Context, r build.Request, set *build.InputSet) (v1.Image, error) {
	platform, err := image.ParsePlatform(r.Platform)
	if err != nil {
		return nil, err
	}
	p, err := readProject(r)
	if err != nil {
		return nil, err
	}
	work, unlock, err := b.deps.LockWorkDir(ctx, r)
	if err != nil {
		return nil, err
	}
	defer unlock()
	j := &job{b, r, p, set, work}
	// On a fresh machine both take long, and neither keeps the machine busy.
	var base v1.Image
	var made parts
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if base, err = b.deps.Base(ctx, b.baseName(r)); err != nil {
			return fmt.Errorf("finding the base image: %w", err)
		}
		return nil
	})
	group.Go(func() (err error) {
		made, err = j.make(ctx)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return oci.Assemble(base, platform, made.layers, func(c *v1.Config) {
		c.User = user
		oci.SetEnv(c, build.EnvHash, set.Hash())
		oci.SetEnv(c, "NEXT_TELEMETRY_DISABLED", "1")
		made.configure(c)
	})
}

// parts are what a build puts on its base.
type parts struct {
	layers    []oci.Layer
	configure func(*v1.Config)
}

func (j *job) make(ctx context.Context) (parts, error) {
	switch {
	case j.Mode == build.Dev:
		return j.dev(ctx)
	case j.project.next():
		return j.next(ctx)
	}
	return j.plain(ctx)
}

// builds reports whether the build script makes what the image runs. A command
// of the user's for dev runs on the sources.
func (j *job) builds() bool {
	return j.project.builds() && (j.Mode == build.Release || len(j.Spec.Dev.Command) == 0)
}

// write makes a layer in the store.
func (j *job) write(ctx context.Context, comment string, fill func(*oci.Tar)) (oci.Layer, error) {
	return oci.Write(ctx, j.deps.Store, comment, fill)
}

// installed returns the layer /app/node_modules, with the files that it was
// installed by beside it: tools find the root of a project by them. Where the
// layer is in the store, nothing is installed. made are the files that scripts
// of the project made besides.
func (j *job) installed(ctx context.Context, prod bool) (layer oci.Layer, made map[string]origin, err error) {
	what := install{project: j.project, platform: j.Platform, prod: prod}
	key, err := what.key(ctx, j.given(j.project))
	if err != nil {
		return oci.Layer{}, nil, err
	}
	dir := filepath.Join(j.work, "source")
	if prod || j.Platform != hostPlatform {
		dir = filepath.Join(j.work, fmt.Sprintf("modules-%t", prod))
	}
	record := filepath.Join(j.work, fmt.Sprintf("layer-%t.json", prod))
	comment := "npm ci"
	kept, ok, err := j.recorded(ctx, record, key)
	if err != nil || ok && len(j.project.scripts()) == 0 {
		return oci.Layer{Layer: kept, Comment: comment}, nil, err
	}
	if made, err = j.install(ctx, what, dir); err != nil {
		return oci.Layer{}, nil, err
	}
	if ok {
		return oci.Layer{Layer: kept, Comment: comment}, made, nil
	}
	j.deps.Doing(j.Service, "packing its packages")
	manifest, err := j.project.installManifest()
	if err != nil {
		return oci.Layer{}, nil, err
	}
	layer, err = j.write(ctx, comment, func(t *oci.Tar) { j.packages(t, manifest, dir, prod) })
	if err != nil {
		return oci.Layer{}, nil, err
	}
	return layer, made, j.record(record, key, layer)
}

// packages writes what was installed in a folder by a manifest.
func (j *job) packages(t *oci.Tar, manifest []byte, dir string, prod bool) {
	t.Dir(appDir, 0o755, oci.Root)
	t.File(path.Join(appDir, manifestFile), 0o644, oci.Root, manifest)
	if j.project.lockName != "" {
		t.File(path.Join(appDir, j.project.lockName), 0o644, oci.Root, j.project.lock)
	}
	// npm makes no folder where nothing is left to install.
	if modules := filepath.Join(dir, "node_modules"); exists(modules) {
		t.Tree(path.Join(appDir, "node_modules"), modules, oci.Root, keepModule, nil)
	}
	for _, folder := range j.project.folders() { // what they need in another version
		if own := filepath.Join(dir, folder, "node_modules"); prod && exists(own) {
			t.Tree(path.Join(appDir, folder, "node_modules"), own, oci.Root, keepModule, nil)
		}
	}
}

// keepModule leaves out what npm and tools note in node_modules for themselves.
func keepModule(rel string, _ fs.DirEntry) bool {
	return rel != ".package-lock.json" && rel != ".cache"
}

// layerRecord says which layer was made from what.
type layerRecord struct {
	Key   string
	Layer v1.Hash
}

func (j *job) recorded(ctx context.Context, file, key string) (v1.Layer, bool, error) {
	var kept layerRecord
	raw, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(raw, &kept) != nil || kept.Key != key {
		return nil, false, nil
	}
	return j.deps.Store.Layer(ctx, kept.Layer)
}

func (j *job) record(file, key string, layer oci.Layer) error {
	digest, err := layer.Digest()
	if err != nil {
		return err
	}
	raw, err := json.Marshal(layerRecord{key, digest})
	if err != nil {
		return err
	}
	return os.WriteFile(file, raw, 0o644) // under the lock; a half one is no JSON
}

// sources returns the layer of the service's files at a place.
func (j *job) sources(ctx context.Context, at string) (oci.Layer, error) {
	layer, err := j.write(ctx, "sources of "+j.Spec.Node, func(t *oci.Tar) {
		t.Dir(at, 0o755, oci.Root)
		t.Tree(at, filepath.Join(j.work, "source"), oci.Root, func(rel string, _ fs.DirEntry) bool { return j.isShipped(rel) }, nil)
	})
	layer.Sources = true
	return layer, err
}

// isShipped reports whether a file or folder of the work copy goes into the
// image with the sources. .npmrc may hold a token for a registry. What is
// installed has a layer of its own, and notes are for the next build.
func (j *job) isShipped(rel string) bool {
	installed := path.Base(rel) == "node_modules" && slices.Contains(append(j.project.folders(), "."), path.Dir(rel))
	return !installed && rel != installedNote && rel != builtNote && path.Base(rel) != npmConfig
}

// searchModules lets commands of the dependencies be found by name.
func searchModules(c *v1.Config) {
	search := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	for _, entry := range c.Env {
		if len(entry) > 5 && entry[:5] == "PATH=" {
			search = entry[5:]
		}
	}
	oci.SetEnv(c, "PATH", path.Join(appDir, "node_modules/.bin")+":"+search)
}
