// Package dockerfile makes images that a Dockerfile describes, with the
// container engine of this machine, for services that no other builder knows.
package dockerfile

import (
	"context"
	"errors"
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
	deps build.Deps
	find func(context.Context) (Engine, error)
}

// Kind returns the kind of image that a Dockerfile describes. What that makes can
// be anything, so a change of it is built and deployed. find is as for New.
func Kind(find func(context.Context) (Engine, error)) build.Kind {
	return build.Kind{Name: "dockerfile", New: func(deps build.Deps) build.Builder { return New(deps, find) }}
}

// New returns a Builder. find is asked for the engine when there is something
// to build.
func New(deps build.Deps, find func(context.Context) (Engine, error)) *Builder {
	return &Builder{deps, find}
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
	e, err := b.find(ctx)
	if err != nil {
		return nil, err
	}
	// Two builds of the service take turns, so that what a killed one left
	// behind is written over by the next.
	work, unlock, err := b.deps.LockWorkDir(ctx, r)
	if err != nil {
		return nil, err
	}
	defer unlock()
	b.deps.Doing(r.Service, e.Name+" build "+r.Spec.Dockerfile)
	tag := "localhost/zr-build/" + strings.ToLower(filepath.Base(work))
	if err := e.build(ctx, r, tag); err != nil {
		return nil, err
	}
	archive := filepath.Join(work, "image.tar")
	_ = os.Remove(archive) // podman does not write over one
	defer os.Remove(archive)
	// The engine keeps its own layers for the next build; the name goes.
	err = errors.Join(e.save(ctx, tag, archive), e.remove(context.WithoutCancel(ctx), tag))
	if err != nil {
		return nil, err
	}
	return b.store(ctx, archive, set.Hash())
}
