package image

import (
	"errors"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// storedLayer is an uncompressed layer of the store: its digest is its diff ID.
type storedLayer struct {
	store *Store
	desc  v1.Descriptor
}

func (l *storedLayer) Digest() (v1.Hash, error)             { return l.desc.Digest, nil }
func (l *storedLayer) DiffID() (v1.Hash, error)             { return l.desc.Digest, nil }
func (l *storedLayer) Size() (int64, error)                 { return l.desc.Size, nil }
func (l *storedLayer) MediaType() (types.MediaType, error)  { return l.desc.MediaType, nil }
func (l *storedLayer) Uncompressed() (io.ReadCloser, error) { return l.Compressed() }
func (l *storedLayer) Descriptor() (*v1.Descriptor, error)  { return l.desc.DeepCopy(), nil }
func (l *storedLayer) Compressed() (io.ReadCloser, error)   { return l.store.openBlob(l.desc) }

// openBlob opens a blob that must be there in full.
func (s *Store) openBlob(desc v1.Descriptor) (io.ReadCloser, error) {
	f, err := os.Open(s.blobPath(desc.Digest))
	if err != nil {
		return nil, fmt.Errorf("opening blob %s: %w", desc.Digest, err)
	}
	info, err := f.Stat()
	if err == nil && desc.Size >= 0 && info.Size() != desc.Size {
		err = errors.New("its size is not the one that the manifest says")
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("opening blob %s: %w", desc.Digest, err)
	}
	return f, nil
}

// storedImage reads an image of the store.
type storedImage struct {
	store    *Store
	desc     v1.Descriptor
	manifest *v1.Manifest
	raw      []byte
}

func (i *storedImage) MediaType() (types.MediaType, error) { return i.desc.MediaType, nil }
func (i *storedImage) RawManifest() ([]byte, error)        { return i.raw, nil }

func (i *storedImage) RawConfigFile() ([]byte, error) {
	raw, err := i.store.readBlob(i.manifest.Config.Digest)
	if err != nil {
		return nil, fmt.Errorf("reading image config: %w", err)
	}
	return raw, nil
}

func (i *storedImage) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	if h == i.manifest.Config.Digest {
		return partial.ConfigLayer(i)
	}
	for n, desc := range i.manifest.Layers {
		if desc.Digest == h {
			return &imageLayer{storedLayer{i.store, desc}, i, n}, nil
		}
	}
	return nil, fmt.Errorf("image %s has no layer %s", i.desc.Digest, h)
}

// imageLayer is a layer as an image names it, maybe compressed: its diff ID
// stands in the image's config.
type imageLayer struct {
	storedLayer
	image    *storedImage
	position int
}

func (l *imageLayer) DiffID() (v1.Hash, error) {
	if l.desc.MediaType == types.OCIUncompressedLayer {
		return l.desc.Digest, nil
	}
	config, err := partial.ConfigFile(l.image)
	if err != nil {
		return v1.Hash{}, err
	}
	if l.position >= len(config.RootFS.DiffIDs) {
		return v1.Hash{}, fmt.Errorf("image %s: its config names %d layers, its manifest more", l.image.desc.Digest, len(config.RootFS.DiffIDs))
	}
	return config.RootFS.DiffIDs[l.position], nil
}
