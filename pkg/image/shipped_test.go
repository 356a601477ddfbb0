package image

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

// of is an image for an architecture.
func of(t *testing.T, arch string) v1.Image {
	t.Helper()
	img, err := random.Image(1<<10, 2)
	if err == nil {
		img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: arch, RootFS: v1.RootFS{Type: "layers"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.AppendLayers(img)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Images that travel beside a program are stored as they are, once, and the same images
// make the same files.
func TestImagesBesideAProgram(t *testing.T) {
	images := map[string]v1.Image{"api": of(t, runtime.GOARCH), "frontend": of(t, runtime.GOARCH)}
	dir, again := filepath.Join(t.TempDir(), "images"), filepath.Join(t.TempDir(), "images")
	if IsLayout(dir) {
		t.Error("what is not there is a layout")
	}
	for _, to := range []string{dir, again, dir} { // over what was there
		if err := WriteLayout(to, images); err != nil {
			t.Fatal(err)
		}
	}
	one, err := os.ReadFile(filepath.Join(dir, indexFile))
	if err != nil {
		t.Fatal(err)
	}
	if two, err := os.ReadFile(filepath.Join(again, indexFile)); err != nil || string(one) != string(two) || !IsLayout(dir) {
		t.Errorf("they are\n%s\nand\n%s: %v", one, two, err)
	}
	s := openStore(t)
	taken, err := s.Take(t.Context(), dir, "zr")
	if err != nil || len(taken) != 2 {
		t.Fatalf("got %v, %v", taken, err)
	}
	for name, img := range images {
		digest, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		held, err := s.Get(t.Context(), taken[name])
		if err != nil || taken[name] != "localhost/zr/"+name+"@"+digest.String() {
			t.Fatalf("%s is %s, %v", name, taken[name], err)
		}
		if got, err := held.Digest(); err != nil || got != digest {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "blobs")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Take(t.Context(), dir, "zr"); err != nil {
		t.Errorf("what the store has is read again: %v", err)
	}
	if _, err := openStore(t).Take(t.Context(), dir, "zr"); err == nil {
		t.Error("a layout without blobs is taken")
	}
}

func TestImagesOfAnotherPlatformAreRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "images")
	if err := WriteLayout(dir, map[string]v1.Image{"api": of(t, "riscv64")}); err != nil {
		t.Fatal(err)
	}
	s := openStore(t)
	if _, err := s.Take(t.Context(), dir, "zr"); err == nil || !strings.Contains(err.Error(), "linux/riscv64") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Find("localhost/zr/api:latest"); !errors.Is(err, ErrNotFound) {
		t.Errorf("it is in the store: %v", err)
	}
}
