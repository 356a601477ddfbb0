// Package gobuild makes images of Go programs: the compiler's output as one
// layer on a base that zr makes itself.
package gobuild

import (
	"context"
	"fmt"
	"path"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/agentspec"
	"zr/pkg/build"
	"zr/pkg/build/internal/oci"
	"zr/pkg/config"
	"zr/pkg/image"
)

// layout changes when the images of this package do for the same inputs.
const layout = "gobuild 2"

// Where things are in the images. A dev image keeps the binary in the seed
// folder, from which the agent fills appDir, an emptyDir in the pod.
const (
	appDir = "/app"
)

// Builder makes images of Go programs. It is safe for concurrent use.
type Builder struct{ deps build.Deps }

// oldest is the first go command that takes the toolchain line of a go.mod.
const oldest = "1.21"

// Kind is a Go program.
var Kind = build.Kind{
	Name: "go", Advice: advice,
	Tools: func(config.Build) []build.Tool { return []build.Tool{{Name: "go", Min: oldest}} },
	// A base of others is in the store for one platform.
	Crosses: func(spec config.Build) bool { return spec.Base == "" },
	New:     func(deps build.Deps) build.Builder { return New(deps) },
}

// New returns a Builder.
func New(deps build.Deps) *Builder { return &Builder{deps} }

// Inputs returns the files that the program is compiled from: those of its
// packages that are not of a module of fixed version, what they embed, and the
// files that fix the versions of the others.
func (b *Builder) Inputs(ctx context.Context, r build.Request) (*build.InputSet, error) {
	return b.deps.Inputs(ctx, r, &lister{newToolchain(r), r})
}

// Build makes the image.
func (b *Builder) Build(ctx context.Context, r build.Request) (build.Result, error) {
	set, err := b.Inputs(ctx, r)
	if err != nil {
		return build.Result{}, err
	}
	var kept kept
	result, err := b.deps.Make(ctx, build.Frame{
		Request: r, Inputs: set, Base: r.Spec.Base, Further: []string{layout},
		Assemble: func(ctx context.Context) (v1.Image, error) { return b.assemble(ctx, r, set.Hash(), &kept) },
	})
	if err == nil && !result.Cached {
		kept.Made = set.Made() // Make has seen that nothing was saved meanwhile
		kept.note()
	}
	return result, err
}

// compile compiles the program into the file out and returns the hash of what it
// was compiled from, the one that an image of it would report. The set is
// refreshed; where a file was saved while the compiler ran, it compiles again.
// Cancelling ctx ends the compiler with all its children.
func (b *Builder) compile(ctx context.Context, r build.Request, set *build.InputSet, out string) (hash string, err error) {
	for {
		before := set.Sum()
		if err := newToolchain(r).compile(ctx, out, nil); err != nil {
			return "", err
		}
		if err := set.Refresh(ctx); err != nil {
			return "", err
		}
		if set.Sum() == before {
			return set.Hash(), nil
		}
	}
}

// programName returns the name of the program's binary in its image: that of its
// package's folder, or of the service where the package is the project itself.
func programName(r build.Request) string {
	if name := path.Base(path.Clean(filepath.ToSlash(r.Spec.Go))); name != "." && name != ".." && name != "/" {
		return name
	}
	return r.Service
}

func (b *Builder) assemble(ctx context.Context, r build.Request, hash string, kept *kept) (v1.Image, error) {
	platform, err := image.ParsePlatform(r.Platform)
	if err != nil {
		return nil, err
	}
	base, layers, err := oci.Below(ctx, b.deps.Store, r.Spec.Base, b.deps.Base)
	if err != nil {
		return nil, err
	}
	work, unlock, err := b.deps.LockWorkDir(ctx, r)
	if err != nil {
		return nil, err
	}
	defer unlock()
	binary := filepath.Join(work, keptName) // stays: the linker is not run again for the same
	b.deps.Doing(r.Service, "go build "+r.Spec.Go)
	progress := func(packages int, last string) {
		b.deps.Doing(r.Service, fmt.Sprintf("compiling, package %d: %s", packages, last))
	}
	if err := newToolchain(r).compile(ctx, binary, progress); err != nil {
		return nil, err
	}
	if err := kept.look(binary); err != nil {
		return nil, err
	}
	dir := appDir
	beside, err := newBeside(r)
	if err != nil {
		return nil, err
	}
	if r.Mode == build.Dev {
		agent, err := oci.Write(ctx, b.deps.Store, "zr-agent", func(t *oci.Tar) { t.Stream(agentspec.AgentPath, 0o755, oci.Root, r.Agent) })
		if err != nil {
			return nil, err
		}
		layers = append(layers, agent)
		dir = agentspec.SeedDir
	}
	program, err := oci.Write(ctx, b.deps.Store, "go build "+r.Spec.Go, func(t *oci.Tar) {
		t.Dir(appDir, 0o755, oci.Root)
		t.Stream(path.Join(dir, programName(r)), 0o755, oci.Root, binary)
	})
	if err != nil {
		return nil, err
	}
	program.Sources = true
	files, some, err := beside.layer(ctx, b.deps, dir)
	if err != nil {
		return nil, err
	}
	if some {
		layers = append(layers, files)
		beside.told(b.deps)
	}
	return oci.Assemble(base, platform, append(layers, program), func(c *v1.Config) { configure(c, r, hash) })
}

func configure(c *v1.Config, r build.Request, hash string) {
	program := path.Join(appDir, programName(r))
	c.Entrypoint, c.Cmd = []string{program}, nil
	c.WorkingDir = appDir
	if r.Spec.Base == "" {
		oci.OnBase(c)
	}
	oci.SetEnv(c, build.EnvHash, hash)
	if r.Mode == build.Dev {
		c.Entrypoint = []string{agentspec.AgentPath}
		oci.SetEnv(c, agentspec.EnvSpec, agentspec.Spec{Dir: appDir, Command: []string{program}}.Encode())
	}
}
