package oci

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"zr/pkg/image"
)

// tree makes a folder whose times and modes are this test's own.
func tree(t *testing.T, when time.Time, umask os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"b/two", "a/one", "run"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777&^umask); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o666)
		if name == "run" {
			mode = 0o777
		}
		if err := os.WriteFile(file, []byte(name), mode&^umask); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("run", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTreeIsReproducible(t *testing.T) {
	var layers [][]byte
	for _, dir := range []string{tree(t, time.Unix(1, 0), 0o022), tree(t, time.Now(), 0o077)} {
		b, err := layerOf(func(w *Tar) { w.Tree("app/x", dir, Root, nil, nil) })
		if err != nil {
			t.Fatal(err)
		}
		layers = append(layers, b)
	}
	if !bytes.Equal(layers[0], layers[1]) {
		t.Error("the same content gave two layers")
	}
	var names []string
	for tr := tar.NewReader(bytes.NewReader(layers[0])); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.FileInfo().Mode().String()+" "+h.Name)
	}
	want := []string{
		"drwxr-xr-x app/", "drwxr-xr-x app/x/", "drwxr-xr-x app/x/a/", "-rw-r--r-- app/x/a/one", "drwxr-xr-x app/x/b/",
		"-rw-r--r-- app/x/b/two", "Lrwxrwxrwx app/x/link", "-rwxr-xr-x app/x/run",
	}
	if len(names) != len(want) {
		t.Fatalf("entries %q, want %q", names, want)
	}
	for i := range want {
		if names[i] != want[i] {
			t.Errorf("entry %d is %q, want %q", i, names[i], want[i])
		}
	}
}

// TestSameSizeOtherTime: a web server's "not modified" must not hide a change.
func TestSameSizeOtherTime(t *testing.T) {
	if a, b := fileTime([]byte("red")), fileTime([]byte("tan")); a.Equal(b) || a.After(time.Now()) {
		t.Errorf("times %s and %s", a, b)
	}
}

func TestErrorsStay(t *testing.T) {
	if _, err := layerOf(func(w *Tar) { w.Stream("x", 0o644, Root, "/no/such/file"); w.File("y", 0o644, Root, nil) }); err == nil {
		t.Error("a file that is not there was added")
	}
}

func TestRoots(t *testing.T) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(roots()) || len(roots()) < 100_000 {
		t.Errorf("%d bytes of roots", len(roots()))
	}
}

func TestAssembleOnADockerImage(t *testing.T) {
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	base, err := random.Image(100, 2)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := Base(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Assemble(base, v1.Platform{OS: "linux", Architecture: "arm64"}, []Layer{layer}, func(c *v1.Config) { SetEnv(c, "A", "1"); SetEnv(c, "A", "2") })
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if manifest.MediaType != types.OCIManifestSchema1 || manifest.Config.MediaType != types.OCIConfigJSON || len(manifest.Layers) != 3 {
		t.Errorf("manifest = %+v", manifest)
	}
	for i, want := range []types.MediaType{types.OCILayer, types.OCILayer, types.OCIUncompressedLayer} {
		if got := manifest.Layers[i].MediaType; got != want {
			t.Errorf("layer %d is %s, want %s", i, got, want)
		}
	}
	config, err := img.ConfigFile()
	if err != nil || len(config.History) != 3 || len(config.Config.Env) != 1 || config.Config.Env[0] != "A=2" {
		t.Errorf("config = %+v, %v", config, err)
	}
	entry, err := store.Put(t.Context(), "localhost/x:1", img, image.Built, "")
	if err != nil {
		t.Fatal(err)
	}
	if digest, _ := img.Digest(); entry.Digest != digest.String() {
		t.Errorf("stored as %s, is %s", entry.Digest, digest)
	}
}

// layerOf is a layer in memory.
func layerOf(fill func(*Tar)) ([]byte, error) {
	var b bytes.Buffer
	t := NewTar(&b)
	fill(t)
	return b.Bytes(), t.Close()
}
