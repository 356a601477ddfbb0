package image

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// option sets what only tests set.
type option func(*Store)

func openStore(t *testing.T, options ...option) *Store {
	t.Helper()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range options {
		o(s)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// layerOf makes an uncompressed layer in the store with one file.
func layerOf(t *testing.T, s *Store, name string, content []byte) v1.Layer {
	t.Helper()
	w, err := s.NewLayer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	tw := tar.NewWriter(w)
	if err := addFile(tw, name, int64(len(content)), bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// imageOf makes an OCI image of layers.
func imageOf(t *testing.T, layers ...v1.Layer) v1.Image {
	t.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}})
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.AppendLayers(img, layers...); err != nil {
		t.Fatal(err)
	}
	return img
}

func digestStr(t *testing.T, img interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	h, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

func put(t *testing.T, s *Store, name string, img v1.Image, source Source) Entry {
	t.Helper()
	e, err := s.Put(context.Background(), name, img, source, "")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// intact reads all of an image and compares it with what its manifest says.
func intact(img v1.Image) error {
	manifest, err := img.Manifest()
	if err != nil {
		return err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return err
	}
	if len(config.RootFS.DiffIDs) != len(manifest.Layers) {
		return fmt.Errorf("%d diff IDs, %d layers", len(config.RootFS.DiffIDs), len(manifest.Layers))
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for i, layer := range layers {
		if err := hashes(layer.Compressed, manifest.Layers[i].Digest); err != nil {
			return err
		}
		if err := hashes(layer.Uncompressed, config.RootFS.DiffIDs[i]); err != nil {
			return err
		}
	}
	return nil
}

func hashes(open func() (io.ReadCloser, error), want v1.Hash) error {
	r, err := open()
	if err != nil {
		return err
	}
	defer r.Close()
	if got, _, err := v1.SHA256(r); err != nil || got != want {
		return fmt.Errorf("content is %s, %v; want %s", got, err, want)
	}
	return nil
}
