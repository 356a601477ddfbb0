package dockerfile

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"

	"zr/pkg/build"
	"zr/pkg/build/internal/proc"
	"zr/pkg/fault"
)

// engine is the client of a container engine.
type engine struct{ name string }

// findEngine returns the first engine in PATH.
func findEngine() (engine, error) {
	for _, name := range []string{"docker", "podman", "nerdctl"} {
		if _, err := exec.LookPath(name); err == nil {
			return engine{name}, nil
		}
	}
	return engine{}, fault.Hint(errors.New("finding a container engine: neither docker, podman nor nerdctl is in PATH"), "install one of them, or let zr build the service: `go:` and `node:` need none")
}

// build has the engine build an image.
func (e engine) build(ctx context.Context, r build.Request, tag string) error {
	args := []string{e.name, "build", "--platform", r.Platform, "-t", tag, "-f", filepath.Join(r.Root, r.Spec.Dockerfile)}
	args = append(args, r.Spec.Flags...)
	_, err := proc.Command{Args: append(args, contextDir(r)), Dir: r.Root, Name: e.name + " build " + r.Spec.Dockerfile}.Run(ctx)
	return err
}

// save writes an image as the archive that every engine writes, with
// uncompressed layers.
func (e engine) save(ctx context.Context, tag, file string) error {
	args := []string{e.name, "save", "-o", file}
	if e.name == "podman" {
		args = append(args, "--format", "docker-archive")
	}
	_, err := proc.Command{Args: append(args, tag)}.Run(ctx)
	return err
}

func (e engine) remove(ctx context.Context, tag string) error {
	_, err := proc.Command{Args: []string{e.name, "rmi", tag}}.Run(ctx)
	return err
}

// contextDir is the folder that the Dockerfile sees, absolute.
func contextDir(r build.Request) string {
	if r.Spec.Context != "" {
		return filepath.Join(r.Root, r.Spec.Context)
	}
	return filepath.Join(r.Root, filepath.Dir(r.Spec.Dockerfile))
}
