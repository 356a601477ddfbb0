package dockerfile

import (
	"context"
	"os"
	"path/filepath"

	"zr/pkg/build"
	"zr/pkg/build/internal/proc"
)

// Engine is the client of a container engine.
type Engine struct {
	Name string   // of its command: docker, podman or nerdctl
	Env  []string // what the command needs in its environment beside zr's own
}

func (e Engine) command(args ...string) proc.Command {
	return proc.Command{Args: append([]string{e.Name}, args...), Env: append(os.Environ(), e.Env...)}
}

// build has the engine build an image.
func (e Engine) build(ctx context.Context, r build.Request, tag string) error {
	args := []string{"build", "--platform", r.Platform, "-t", tag, "-f", filepath.Join(r.Root, r.Spec.Dockerfile)}
	args = append(args, r.Spec.Flags...)
	cmd := e.command(append(args, contextDir(r))...)
	cmd.Dir, cmd.Name = r.Root, e.Name+" build "+r.Spec.Dockerfile
	return cmd.Run(ctx)
}

// save writes an image as the archive that every engine writes, with
// uncompressed layers.
func (e Engine) save(ctx context.Context, tag, file string) error {
	args := []string{"save", "-o", file}
	if e.Name == "podman" {
		args = append(args, "--format", "docker-archive")
	}
	return e.command(append(args, tag)...).Run(ctx)
}

func (e Engine) remove(ctx context.Context, tag string) error {
	return e.command("rmi", tag).Run(ctx)
}

// contextDir is the folder that the Dockerfile sees, absolute.
func contextDir(r build.Request) string {
	if r.Spec.Context != "" {
		return filepath.Join(r.Root, r.Spec.Context)
	}
	return filepath.Join(r.Root, filepath.Dir(r.Spec.Dockerfile))
}
