package build

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"zr/pkg/build/internal/oci"
	"zr/pkg/image"
)

// Running returns the image called name, as Result.Name has it, in place of
// one that was built anew, where a container that was made from it need not be
// replaced: the two differ in nothing but sources, which the agent brings. It
// returns false where they differ in more, and where the store has lost it.
func (d Deps) Running(ctx context.Context, built Result, name string) (Result, bool, error) {
	if name == built.Name {
		return built, true, nil
	}
	img, err := d.Store.Get(ctx, image.Local+"/"+name)
	if errors.Is(err, image.ErrNotFound) {
		return Result{}, false, nil
	}
	if err != nil {
		return Result{}, false, fmt.Errorf("reading the image that %q runs: %w", built.Service, err)
	}
	before, err := oci.WithoutSources(img, EnvHash)
	if err != nil {
		return Result{}, false, fmt.Errorf("reading the image that %q runs: %w", built.Service, err)
	}
	now, err := oci.WithoutSources(built.Image, EnvHash)
	if err != nil {
		return Result{}, false, fmt.Errorf("reading image %q: %w", built.Service, err)
	}
	if before != now {
		return Result{}, false, nil
	}
	config, err := img.ConfigFile()
	if err != nil {
		return Result{}, false, fmt.Errorf("reading the image that %q runs: %w", built.Service, err)
	}
	kept := built
	kept.Name, kept.Image = name, img
	_, kept.Digest, _ = strings.Cut(name, "@")
	for _, entry := range config.Config.Env {
		if hash, ok := strings.CutPrefix(entry, EnvHash+"="); ok {
			kept.InputHash = hash
		}
	}
	return kept, true, nil
}
