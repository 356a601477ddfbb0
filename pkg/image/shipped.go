package image

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// WriteLayout writes images by their names into a folder of their own, an OCI layout that
// travels beside a program. The same images make the same files.
func WriteLayout(dir string, images map[string]v1.Image) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clearing %q: %w", dir, err)
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("making the layout %q: %w", dir, err)
	}
	for _, name := range slices.Sorted(maps.Keys(images)) {
		if err := path.AppendImage(images[name], layout.WithAnnotations(map[string]string{annotationRef: name})); err != nil {
			return fmt.Errorf("writing image %q to %q: %w", name, dir, err)
		}
	}
	return nil
}

// IsLayout says whether a folder is an OCI layout.
func IsLayout(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, layoutFile))
	return err == nil && info.Mode().IsRegular()
}

// Take stores the images of an OCI layout for nodes of this machine, and returns what each
// is called in them, by its name in the layout. project is what they are of. What the
// store has is not read again.
func (s *Store) Take(ctx context.Context, dir, project string) (map[string]string, error) {
	path, err := layout.FromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the layout %q: %w", dir, err)
	}
	index, err := path.ImageIndex()
	if err != nil {
		return nil, fmt.Errorf("reading the layout %q: %w", dir, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("reading the layout %q: %w", dir, err)
	}
	taken := map[string]string{}
	for _, desc := range manifest.Manifests {
		name := desc.Annotations[annotationRef]
		if name == "" {
			continue
		}
		if taken[name], err = s.take(ctx, path, desc.Digest, LocalName(project, name)); err != nil {
			return nil, fmt.Errorf("taking image %q from %q: %w", name, dir, err)
		}
	}
	return taken, nil
}

func (s *Store) take(ctx context.Context, from layout.Path, digest v1.Hash, repository string) (string, error) {
	name, err := Pin(repository, digest)
	if err != nil {
		return "", err
	}
	if _, err := s.Find(name); !errors.Is(err, ErrNotFound) {
		return name, err
	}
	img, err := from.Image(digest)
	if err != nil {
		return "", err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return "", err
	}
	if config.OS != "linux" || config.Architecture != runtime.GOARCH {
		return "", fmt.Errorf("it is for %s/%s, and nodes of this machine are linux/%s", config.OS, config.Architecture, runtime.GOARCH)
	}
	_, err = s.Put(ctx, name, img, Built, "")
	return name, err
}
