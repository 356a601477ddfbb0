package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"golang.org/x/sync/errgroup"
)

// parallelLayers is how many layers travel at once: one connection rarely
// fills the line, and more than a few only share it.
const parallelLayers = 4

// writeImage writes the blobs of an image, the manifest last: where the
// manifest is, the rest is too.
func (s *Store) writeImage(ctx context.Context, img v1.Image, desc v1.Descriptor) (int64, error) {
	layers, err := img.Layers()
	if err != nil {
		return 0, err
	}
	written, err := s.writeLayers(ctx, layers)
	if err != nil {
		return written, err
	}
	config, err := img.RawConfigFile()
	if err != nil {
		return written, err
	}
	configName, err := img.ConfigName()
	if err != nil {
		return written, err
	}
	manifest, err := img.RawManifest()
	if err != nil {
		return written, err
	}
	for _, blob := range []struct {
		digest v1.Hash
		data   []byte
	}{{configName, config}, {desc.Digest, manifest}} {
		n, err := s.putBlob(ctx, blob.digest, int64(len(blob.data)), bytesOf(blob.data))
		if err != nil {
			return written, err
		}
		written += n
	}
	return written, nil
}

func (s *Store) writeLayers(ctx context.Context, layers []v1.Layer) (written int64, err error) {
	sizes := make([]int64, len(layers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelLayers)
	for i, layer := range layers {
		group.Go(func() (err error) {
			sizes[i], err = s.putLayer(ctx, layer)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	for _, n := range sizes {
		written += n
	}
	return written, nil
}

func (s *Store) putLayer(ctx context.Context, layer v1.Layer) (int64, error) {
	digest, err := layer.Digest()
	if err != nil {
		return 0, err
	}
	size, err := layer.Size()
	if err != nil {
		return 0, err
	}
	return s.putBlob(ctx, digest, size, layer.Compressed)
}

// touch notes a use: the modification time of an image's manifest is when it
// was used last, which costs no write to the index. It is a hint for pruning,
// so that a read-only store is no reason to fail.
func (s *Store) touch(digest v1.Hash) {
	now := s.now()
	_ = os.Chtimes(s.blobPath(digest), now, now)
}

// complete reports whether all blobs of an image are there.
func (s *Store) complete(desc v1.Descriptor) bool {
	manifest, _, err := s.manifest(desc)
	if err != nil {
		return false
	}
	if _, err := s.readBlob(manifest.Config.Digest); err != nil {
		return false
	}
	for _, layer := range manifest.Layers {
		if !s.hasBlob(layer.Digest, layer.Size) {
			return false
		}
	}
	return true
}

func (s *Store) manifest(desc v1.Descriptor) (*v1.Manifest, []byte, error) {
	raw, err := s.readBlob(desc.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("manifest %s: %w", desc.Digest, ErrNotFound)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading manifest %s: %w", desc.Digest, err)
	}
	var manifest v1.Manifest
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return nil, nil, fmt.Errorf("reading manifest %s: %w", desc.Digest, err)
	}
	return &manifest, raw, nil
}

func (s *Store) open(desc v1.Descriptor) (v1.Image, error) {
	manifest, raw, err := s.manifest(desc)
	if err != nil {
		return nil, err
	}
	return partial.CompressedToImage(&storedImage{store: s, desc: desc, manifest: manifest, raw: raw})
}
