package oci

import (
	"context"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"zr/pkg/image"
)

// Layer is a layer of an image, and what its history says about it.
type Layer struct {
	v1.Layer
	Comment string
	// Sources says that saves change it, and nothing else does: in a dev image
	// the agent brings what is newer.
	Sources bool
}

// sourcesMark is the comment in the history of a layer of sources.
const sourcesMark = "zr: sources"

// Write makes a layer in the store.
func Write(ctx context.Context, store *image.Store, comment string, fill func(*Tar)) (Layer, error) {
	w, err := store.NewLayer(ctx)
	if err != nil {
		return Layer{}, err
	}
	defer w.Abort()
	t := NewTar(w)
	fill(t)
	if err := t.Close(); err != nil {
		return Layer{}, fmt.Errorf("writing the layer of %s: %w", comment, err)
	}
	layer, err := w.Commit()
	return Layer{Layer: layer, Comment: comment}, err
}

// epoch is the creation time that images say: a real one would change their
// digest with every build.
var epoch = v1.Time{Time: time.Unix(0, 0).UTC()}

// Assemble puts layers on a base, which may be nil, as an OCI image. configure
// changes the config, which begins as the base's.
func Assemble(base v1.Image, platform v1.Platform, layers []Layer, configure func(*v1.Config)) (v1.Image, error) {
	var adds []mutate.Addendum
	config := &v1.ConfigFile{OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant}
	if base != nil {
		below, err := baseLayers(base)
		if err != nil {
			return nil, err
		}
		adds = below
		original, err := base.ConfigFile()
		if err != nil {
			return nil, err
		}
		config.Config = *original.Config.DeepCopy()
		config.OS, config.Architecture, config.Variant = original.OS, original.Architecture, original.Variant
	}
	for _, layer := range layers {
		history := v1.History{CreatedBy: "zr: " + layer.Comment, Created: epoch}
		if layer.Sources {
			history.Comment = sourcesMark
		}
		adds = append(adds, mutate.Addendum{Layer: layer, History: history})
	}
	config.Created = epoch
	config.RootFS.Type = "layers"
	configure(&config.Config)
	// Docker's and OCI's media types name the same bytes; an image that mixes
	// both is refused by some registries, so all of it becomes OCI.
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.ConfigFile(img, config)
	if err != nil {
		return nil, fmt.Errorf("putting the image together: %w", err)
	}
	if img, err = mutate.Append(img, adds...); err != nil {
		return nil, fmt.Errorf("putting the image together: %w", err)
	}
	return img, nil
}

func baseLayers(base v1.Image) ([]mutate.Addendum, error) {
	manifest, err := base.Manifest()
	if err != nil {
		return nil, err
	}
	layers, err := base.Layers()
	if err != nil {
		return nil, err
	}
	adds := make([]mutate.Addendum, len(layers))
	for i, layer := range layers {
		adds[i] = mutate.Addendum{
			Layer: layer, MediaType: ociType(manifest.Layers[i].MediaType),
			History: v1.History{CreatedBy: "zr: base image", Created: epoch},
		}
	}
	return adds, nil
}

func ociType(t types.MediaType) types.MediaType {
	switch t {
	case types.DockerLayer:
		return types.OCILayer
	case types.DockerUncompressedLayer:
		return types.OCIUncompressedLayer
	}
	return t
}

// SetEnv sets a variable of the config and keeps the others.
func SetEnv(config *v1.Config, name, value string) {
	entry := name + "=" + value
	for i, e := range config.Env {
		if len(e) > len(name) && e[:len(name)+1] == name+"=" {
			config.Env[i] = entry
			return
		}
	}
	config.Env = append(config.Env, entry)
}
