package image

import (
	"bytes"
	"os"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/fault"
)

// blank loses a file's content and keeps its size, as a power failure may.
func blank(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, info.Size()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLostManifestAndConfig(t *testing.T) {
	const name = "localhost/shop/api:1"
	for what, of := range map[string]func(img v1.Image) (v1.Hash, error){
		"manifest": v1.Image.Digest, "config": v1.Image.ConfigName,
	} {
		t.Run(what, func(t *testing.T) {
			s := openStore(t)
			img := imageOf(t, layerOf(t, s, "a", []byte("one")))
			put(t, s, name, img, Built)
			h, err := of(img)
			if err != nil {
				t.Fatal(err)
			}
			blank(t, s.blobPath(h))
			if s.Has(name) {
				t.Error("the store claims an image whose content is lost")
			}
			put(t, s, name, img, Built)
			back, err := s.Get(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			if err := intact(back); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLostIndex(t *testing.T) {
	s := openStore(t)
	img := imageOf(t, layerOf(t, s, "a", []byte("one")))
	put(t, s, "localhost/shop/api:1", img, Built)
	blank(t, s.path(indexFile))
	if s.Has("localhost/shop/api:1") {
		t.Error("the image is still there")
	}
	put(t, s, "localhost/shop/api:1", img, Built)
	if !s.Has("localhost/shop/api:1") {
		t.Error("the image is not there again")
	}
}

// TestLostLayer: a node and a registry refuse a layer whose content is lost.
// Then it is found out, and the next run gets it anew.
func TestLostLayer(t *testing.T) {
	const name = "localhost/shop/api:1"
	for where, send := range map[string]func(t *testing.T, s *Store, img v1.Image) error{
		"node": func(t *testing.T, s *Store, img v1.Image) error {
			_, err := Loader{Store: s}.Load(t.Context(), newMemoryNode(), Item{name, img})
			return err
		},
		"registry": func(t *testing.T, s *Store, img v1.Image) error {
			_, _, err := Pusher{Store: s}.Push(t.Context(), img, newRegistry(t).host+"/shop/api", "zr")
			return err
		},
	} {
		t.Run(where, func(t *testing.T) {
			s := openStore(t)
			good := kilobytes(10, 'x')
			layer := layerOf(t, s, "a", good)
			put(t, s, name, imageOf(t, layer, layerOf(t, s, "b", bytes.ToUpper(good))), Built)
			blank(t, s.blobPath(must(layer.Digest())))
			img, err := s.Get(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			err = send(t, s, img)
			if err == nil || !strings.Contains(err.Error(), "the image store's copy of "+digestStr(t, layer)+" was damaged") || fault.HintOf(err) == "" {
				t.Errorf("err = %v, hint %q", err, fault.HintOf(err))
			}
			if s.Has(name) {
				t.Error("the store claims the image still")
			}
			layerOf(t, s, "a", good)
			if err := send(t, s, img); err != nil {
				t.Errorf("after the layer was made anew: %v", err)
			}
		})
	}
}

func must(h v1.Hash, _ error) v1.Hash { return h }
