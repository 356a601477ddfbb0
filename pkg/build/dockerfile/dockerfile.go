// Package dockerfile makes images that a Dockerfile describes, with the
// container engine of this machine, for services that no other builder knows.
package dockerfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/build"
)

// layout changes when the images of this package do for the same inputs.
const layout = "dockerfile 1"

// Builder makes images by Dockerfiles. It is safe for concurrent use.
type Builder struct {
	deps   build.Deps
	engine engine
}

// New returns a Builder that takes the first engine that it finds: docker,
// podman or nerdctl.
func New(deps build.Deps) *Builder { return &Builder{deps: deps} }

// WithEngine returns a Builder that takes the engine of that name.
func WithEngine(deps build.Deps, name string) *Builder {
	return &Builder{deps: deps, engine: engine{name}}
}

// Inputs returns the files of the context that .dockerignore does not leave
// out, and the Dockerfile. What the Dockerfile downloads is not known: its
// base image and packages count as they were when these files changed last.
func (b *Builder) Inputs(ctx context.Context, r build.Request) (*build.InputSet, error) {
	return b.deps.Inputs(ctx, r, newLister(r))
}

// Build makes the image. It is the same for both modes: what an engine builds
// is not reloaded in place.
func (b *Builder) Build(ctx context.Context, r build.Request) (build.Result, error) {
	r.Mode = build.Release
	set, err := b.Inputs(ctx, r)
	if err != nil {
		return build.Result{}, err
	}
	return b.deps.Make(ctx, build.Frame{
		Request: r, Inputs: set, Further: []string{layout},
		Assemble: func(ctx context.Context) (v1.Image, error) { return b.assemble(ctx, r, set) },
	})
}

func (b *Builder) assemble(ctx context.Context, r build.Request, set *build.InputSet) (v1.Image, error) {
	e := b.engine
	if e.name == "" {
		var err error
		if e, err = findEngine(); err != nil {
			return nil, err
		}
	}
	b.deps.Doing(r.Service, e.name+" build "+r.Spec.Dockerfile)
	dir, err := os.MkdirTemp("", "zr-build-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the engine's image: %w", err)
	}
	defer os.RemoveAll(dir)
	// The name is this build's own, so that two of them do not meet.
	tag := fmt.Sprintf("localhost/zr-build/%s-%s:%s", strings.ToLower(r.Project), strings.ToLower(r.Service), filepath.Base(dir))
	if err := e.build(ctx, r, tag); err != nil {
		return nil, err
	}
	archive := filepath.Join(dir, "image.tar")
	// The engine keeps its own layers for the next build; the name goes.
	err = errors.Join(e.save(ctx, tag, archive), e.remove(context.WithoutCancel(ctx), tag))
	if err != nil {
		return nil, err
	}
	return b.store(ctx, archive, set.Hash())
}
