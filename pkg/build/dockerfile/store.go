package dockerfile

import (
	"context"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"zr/pkg/build"
	"zr/pkg/build/internal/oci"
)

// store takes the engine's archive apart into layers of the store and puts
// the same image together as zr does it, with the build hash.
func (b *Builder) store(ctx context.Context, archive, hash string) (v1.Image, error) {
	saved, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the engine's image: %w", err)
	}
	config, err := saved.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the engine's image: %w", err)
	}
	from, err := saved.Layers()
	if err != nil {
		return nil, fmt.Errorf("reading the engine's image: %w", err)
	}
	var layers []oci.Layer
	for _, layer := range from {
		stored, err := b.layer(ctx, layer)
		if err != nil {
			return nil, fmt.Errorf("reading the engine's image: %w", err)
		}
		layers = append(layers, oci.Layer{Layer: stored, Comment: "engine build"})
	}
	platform := v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant}
	return oci.Assemble(nil, platform, layers, func(c *v1.Config) {
		*c = *config.Config.DeepCopy()
		oci.SetEnv(c, build.EnvHash, hash)
	})
}

func (b *Builder) layer(ctx context.Context, layer v1.Layer) (v1.Layer, error) {
	diffID, err := layer.DiffID()
	if err != nil {
		return nil, err
	}
	if stored, ok, err := b.deps.Store.Layer(ctx, diffID); err != nil || ok {
		return stored, err
	}
	rc, err := layer.Uncompressed()
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	w, err := b.deps.Store.NewLayer(ctx)
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	if _, err := io.Copy(w, rc); err != nil {
		return nil, err
	}
	return w.Commit()
}
