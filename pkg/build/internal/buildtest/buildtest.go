// Package buildtest reads what the builders have made.
package buildtest

import (
	"archive/tar"
	"errors"
	"io"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Walk calls do for every entry of every layer of an image, in order.
func Walk(t testing.TB, img v1.Image, do func(h *tar.Header, content io.Reader)) {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range layers {
		rc, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for tr := tar.NewReader(rc); ; {
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			do(h, tr)
		}
		if err := rc.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
