package recipe

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"runtime"
)

// namedLayer is a layer and what is in it, for the image's history.
type namedLayer struct {
	about string
	v1.Layer
}

// layer returns the layer with a key, from the store where it is there, and
// made from content otherwise.
func (b *builder) layer(ctx context.Context, about, key string, content func() (tree, error)) (namedLayer, error) {
	record := b.cache.path("layers", keyOf(format, key))
	if l, ok, err := b.storedLayer(ctx, record); err != nil || ok {
		return namedLayer{about, l}, err
	}
	b.progress.detail("writing layer: " + about)
	t, err := content()
	if err != nil {
		return namedLayer{}, fmt.Errorf("making layer %q: %w", about, err)
	}
	w, err := b.Store.NewLayer(ctx)
	if err != nil {
		return namedLayer{}, err
	}
	defer w.Abort()
	if err := t.write(w); err != nil {
		return namedLayer{}, fmt.Errorf("making layer %q: %w", about, err)
	}
	l, err := w.Commit()
	if err != nil {
		return namedLayer{}, err
	}
	digest, err := l.Digest()
	if err != nil {
		return namedLayer{}, err
	}
	text, err := json.Marshal(digest)
	if err != nil {
		return namedLayer{}, err
	}
	return namedLayer{about, l}, writeFile(record, text)
}

// storedLayer returns the layer that a record names, if the store has it.
func (b *builder) storedLayer(ctx context.Context, record string) (v1.Layer, bool, error) {
	text, err := os.ReadFile(record)
	if err != nil {
		return nil, false, nil // not made yet
	}
	var digest v1.Hash
	if json.Unmarshal(text, &digest) != nil {
		return nil, false, nil // of another zr
	}
	return b.Store.Layer(ctx, digest)
}

// assemble puts the layers and the recipe's config together.
func (r Recipe) assemble(layers []namedLayer) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	var added []mutate.Addendum
	for _, l := range layers {
		added = append(added, mutate.Addendum{
			Layer:     l.Layer,
			MediaType: types.OCIUncompressedLayer,
			History:   v1.History{Created: v1.Time{Time: sourceDate}, CreatedBy: "zr recipe " + r.name, Comment: l.about},
		})
	}
	img, err := mutate.Append(img, added...)
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Created = v1.Time{Time: sourceDate}
	config.Config = r.config()
	return mutate.ConfigFile(img, config)
}

// KeyLabel is the label that holds the key of the recipe an image was made from.
const KeyLabel = "dev.zr.recipe.key"

// config is the recipe's section of that name, and labels that tell where the
// image comes from.
func (r Recipe) config() v1.Config {
	c := r.spec.Config
	set := func(names []string) map[string]struct{} {
		if len(names) == 0 {
			return nil
		}
		m := map[string]struct{}{}
		for _, n := range names {
			m[n] = struct{}{}
		}
		return m
	}
	labels := map[string]string{"dev.zr.recipe": r.name, KeyLabel: r.key}
	maps.Copy(labels, c.Labels)
	return v1.Config{
		Env: c.Env, User: c.User, WorkingDir: c.Workdir, Entrypoint: c.Entrypoint, Cmd: c.Cmd,
		StopSignal: c.StopSignal, Volumes: set(c.Volumes), ExposedPorts: set(c.Ports),
		Labels: labels,
	}
}
