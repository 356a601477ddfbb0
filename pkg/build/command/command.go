// Package command makes images of what a command of the project leaves in a folder:
// any compiler, bundler or generator of this machine. The folder is one layer on a
// base image, and what runs in it is swapped by each save under `zr dev`.
package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/agentspec"
	"zr/pkg/build"
	"zr/pkg/build/internal/folder"
	"zr/pkg/build/internal/oci"
	"zr/pkg/build/internal/proc"
	"zr/pkg/config"
	"zr/pkg/executable"
	"zr/pkg/fault"
	"zr/pkg/image"
	"zr/pkg/sealed"
)

// layout changes when the images of this package do for the same inputs.
const layout = "command 1"

// appDir is where an image has what the command made. A dev image keeps that in the
// seed folder, from which the agent fills appDir, an emptyDir in the pod.
const appDir = "/app"

// platformVariable tells the command what to build for.
const platformVariable = "ZR_PLATFORM"

// never are names that are not sources, whatever ignore files say.
var never = []string{".git", ".DS_Store"}

// Kind is what a command makes.
var Kind = build.Kind{
	Name:  "command",
	Tools: tools,
	New:   func(deps build.Deps) build.Builder { return New(deps) },
}

// tools are the command itself, where it is not a file of the project.
func tools(spec config.Build) []build.Tool {
	if program := spec.Command[0]; !strings.Contains(program, "/") {
		return []build.Tool{{Name: program, Unknown: true}}
	}
	return nil
}

// Builder makes images of what commands make. It is safe for concurrent use.
type Builder struct{ deps build.Deps }

// New returns a Builder.
func New(deps build.Deps) *Builder { return &Builder{deps} }

func sourceDir(r build.Request) string { return filepath.Join(r.Root, r.Spec.Dir) }

func outDir(r build.Request) string { return filepath.Join(sourceDir(r), r.Spec.Out) }

// Inputs returns the files of the service's folder that no ignore file leaves out,
// but for what the command makes.
func (b *Builder) Inputs(ctx context.Context, r build.Request) (*build.InputSet, error) {
	out := outDir(r)
	further := slices.Concat([]string{r.Spec.Dir, r.Spec.Out, r.Platform, fmt.Sprintf("%q", r.Spec.Run)}, r.Spec.Command)
	return b.deps.Inputs(ctx, r, folder.NewLister(r.Root, sourceDir(r), func(path string) bool {
		return path == out || slices.Contains(never, filepath.Base(path))
	}, further...))
}

// Build makes the image.
func (b *Builder) Build(ctx context.Context, r build.Request) (build.Result, error) {
	set, err := b.Inputs(ctx, r)
	if err != nil {
		return build.Result{}, err
	}
	return b.deps.Make(ctx, build.Frame{
		Request: r, Inputs: set, Base: r.Spec.Base, Further: []string{layout},
		Assemble: func(ctx context.Context) (v1.Image, error) { return b.assemble(ctx, r, set) },
	})
}

func (b *Builder) assemble(ctx context.Context, r build.Request, set *build.InputSet) (v1.Image, error) {
	platform, err := image.ParsePlatform(r.Platform)
	if err != nil {
		return nil, err
	}
	base, layers, err := oci.Below(ctx, b.deps.Store, r.Spec.Base, b.deps.Base)
	if err != nil {
		return nil, err
	}
	_, unlock, err := b.deps.LockWorkDir(ctx, r)
	if err != nil {
		return nil, err
	}
	defer unlock()
	b.deps.Doing(r.Service, strings.Join(r.Spec.Command, " "))
	if err := run(ctx, r); err != nil {
		return nil, err
	}
	dir := appDir
	if r.Mode == build.Dev {
		agent, err := oci.Write(ctx, b.deps.Store, "zr-agent", func(t *oci.Tar) { t.Stream(agentspec.AgentPath, 0o755, oci.Root, r.Agent) })
		if err != nil {
			return nil, err
		}
		layers = append(layers, agent)
		dir = agentspec.SeedDir
	}
	made, err := oci.Write(ctx, b.deps.Store, "what "+r.Spec.Command[0]+" made", func(t *oci.Tar) {
		t.Dir(appDir, 0o755, oci.Root)
		t.Tree(dir, outDir(r), oci.Root, nil, nil)
	})
	if err != nil {
		return nil, err
	}
	made.Sources = true
	var starts []string
	img, err := oci.Assemble(base, platform, append(layers, made), func(c *v1.Config) { starts = configure(c, r, set.Hash()) })
	if err == nil && len(starts) == 0 {
		err = fault.Hint(errors.New("nothing says what the image runs"), "name it by `run:` of the service's build, such as [./server]")
	}
	return img, err
}

// configure fills in the config of the image and returns its start command.
func configure(c *v1.Config, r build.Request, hash string) (starts []string) {
	if len(r.Spec.Run) > 0 {
		starts = slices.Clone(r.Spec.Run)
		if strings.Contains(starts[0], "/") {
			starts[0] = inImage(starts[0])
		}
		c.Entrypoint, c.Cmd = starts, nil
	} else {
		starts = slices.Concat(c.Entrypoint, c.Cmd)
	}
	c.WorkingDir = appDir
	if r.Spec.Base == "" {
		oci.OnBase(c)
	}
	oci.SetEnv(c, build.EnvHash, hash)
	if r.Mode == build.Dev {
		c.Entrypoint, c.Cmd = []string{agentspec.AgentPath}, nil
		oci.SetEnv(c, agentspec.EnvSpec, agentspec.Spec{Dir: appDir, Command: starts}.Encode())
	}
	return starts
}

// run runs the command and makes sure that it left something.
func run(ctx context.Context, r build.Request) error {
	err := proc.Command{
		Args: r.Spec.Command, Dir: sourceDir(r), Name: strings.Join(r.Spec.Command, " "),
		Env: append(sealed.WithoutKeys(os.Environ()), platformVariable+"="+r.Platform),
	}.Run(ctx)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(outDir(r))
	name := path.Join(filepath.ToSlash(r.Spec.Dir), r.Spec.Out)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		return fault.Hint(fmt.Errorf("%s made nothing in %s", strings.Join(r.Spec.Command, " "), name),
			"`out:` is the folder that the command writes, below `dir:`")
	case err != nil:
		return fmt.Errorf("reading what was made: %w", err)
	}
	return startable(r)
}

// startable makes sure that the kernel can start what the command made, where that is
// all that the image has: zr's own base holds no file that loads a program. What a base
// of the service has is not looked for.
func startable(r build.Request) error {
	if len(r.Spec.Run) == 0 || !strings.Contains(r.Spec.Run[0], "/") {
		return nil
	}
	below, made := strings.CutPrefix(inImage(r.Spec.Run[0]), appDir+"/")
	if !made {
		return nil
	}
	platform, err := image.ParsePlatform(r.Platform)
	if err != nil {
		return err
	}
	file, err := os.Open(filepath.Join(outDir(r), below))
	if err != nil {
		return nil // it may be of the base; where it is not, the start says so
	}
	defer file.Close()
	name := path.Join(filepath.ToSlash(r.Spec.Dir), r.Spec.Out, below)
	if is := executable.Architecture(file); is != "" && is != platform.Architecture {
		return fault.Hint(fmt.Errorf("%s is a program for %s, and the nodes are of %s", name, is, platform.Architecture), "the command finds what to build for in "+platformVariable+": "+r.Platform)
	}
	if loader := executable.Loader(file); r.Spec.Base == "" && loader != "" {
		return fault.Hint(fmt.Errorf("%s cannot be started in its image: it needs %s, which is not there", name, loader),
			"link it statically (for Go, set CGO_ENABLED=0), or name an image that has it by `base:` of the service's build")
	}
	return nil
}

// inImage returns where a program that `run:` names is in the image.
func inImage(program string) string {
	if path.IsAbs(program) {
		return program
	}
	return path.Join(appDir, program)
}
