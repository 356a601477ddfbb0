package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

func TestPutGet(t *testing.T) {
	s := openStore(t)
	img := imageOf(t, layerOf(t, s, "a", []byte("one")), layerOf(t, s, "b", []byte("two")))
	entry, err := s.PutPinned(t.Context(), LocalName("shop", "api"), img, Built, "hash1")
	if err != nil {
		t.Fatal(err)
	}
	if want := "localhost/shop/api@" + digestStr(t, img); entry.Name != want {
		t.Errorf("stored as %s, want %s", entry.Name, want)
	}
	if entry.Key != "hash1" || entry.Source != Built || entry.Size == 0 {
		t.Errorf("entry = %+v", entry)
	}
	got, err := s.Get(t.Context(), entry.Name)
	if err != nil {
		t.Fatal(err)
	}
	if err := intact(got); err != nil {
		t.Error(err)
	}
	if digestStr(t, got) != digestStr(t, img) {
		t.Error("the image changed its digest in the store")
	}
	if _, err := s.Get(t.Context(), "localhost/shop/other:1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get of what is not there = %v, want ErrNotFound", err)
	}
}

func TestOthersReadTheLayout(t *testing.T) {
	s := openStore(t)
	img := imageOf(t, layerOf(t, s, "a", []byte("one")))
	put(t, s, "localhost/shop/api:1", img, Built)
	index, err := layout.ImageIndexFromPath(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	h, _ := img.Digest()
	read, err := index.Image(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := intact(read); err != nil {
		t.Error(err)
	}
}

// TestPulledStaysAsItIs: compressed layers keep their bytes, and so digests.
func TestPulledStaysAsItIs(t *testing.T) {
	s := openStore(t)
	img, err := random.Image(1024, 3)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "example.test/x:1", img, Pulled)
	got, err := s.Get(t.Context(), "example.test/x:1")
	if err != nil {
		t.Fatal(err)
	}
	if digestStr(t, got) != digestStr(t, img) {
		t.Error("the image changed its digest in the store")
	}
	if err := intact(got); err != nil {
		t.Error(err)
	}
}

func TestNameMoves(t *testing.T) {
	s := openStore(t)
	first := imageOf(t, layerOf(t, s, "a", []byte("one")))
	second := imageOf(t, layerOf(t, s, "a", []byte("two")))
	put(t, s, "localhost/shop/api:1", first, Built)
	put(t, s, "localhost/shop/api:1", second, Built)
	entry, err := s.Find("localhost/shop/api:1")
	if err != nil || entry.Digest != digestStr(t, second) {
		t.Errorf("Find = %+v, %v; want the second image", entry, err)
	}
	if all, _ := s.List(); len(all) != 1 {
		t.Errorf("%d images, want 1", len(all))
	}
}

// TestHalfABlobIsNotBelieved cuts a layer as a power failure would.
func TestHalfABlobIsNotBelieved(t *testing.T) {
	s := openStore(t)
	layer := layerOf(t, s, "a", bytes.Repeat([]byte("x"), 10000))
	img := imageOf(t, layer)
	put(t, s, "localhost/shop/api:1", img, Built)
	h, _ := layer.Digest()
	if err := os.Truncate(s.blobPath(h), 100); err != nil {
		t.Fatal(err)
	}
	if s.Has("localhost/shop/api:1") {
		t.Error("the store claims an image with a cut layer")
	}
	// Writing it again repairs it.
	layerOf(t, s, "a", bytes.Repeat([]byte("x"), 10000))
	if !s.Has("localhost/shop/api:1") {
		t.Error("writing the layer again did not repair the image")
	}
}

func TestWrongContentIsRefused(t *testing.T) {
	s := openStore(t)
	h, _ := layerOf(t, s, "a", []byte("one")).Digest()
	if err := os.Remove(s.blobPath(h)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.putBlob(t.Context(), h, 3, bytesOf([]byte("two"))); err == nil {
		t.Error("a blob with another digest was taken")
	}
	if s.hasBlob(h, -1) {
		t.Error("the refused blob is in the store")
	}
}

// TestManyProcesses has processes write to one store while another prunes,
// and one of them killed in the middle.
func TestManyProcesses(t *testing.T) {
	if dir := os.Getenv("ZR_TEST_STORE"); dir != "" {
		writeForever(t, dir, os.Getenv("ZR_TEST_NAME"))
		return
	}
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var writers []*exec.Cmd
	for i := range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestManyProcesses$")
		cmd.Env = append(os.Environ(), "ZR_TEST_STORE="+dir, fmt.Sprintf("ZR_TEST_NAME=w%d", i))
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		writers = append(writers, cmd)
	}
	count := func(prefix string) (n int) {
		all, err := s.List()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if strings.Contains(e.Name, prefix) {
				n++
			}
		}
		return n
	}
	waitFor := func(what string, cond func() bool) {
		t.Helper()
		deadline := time.Now().Add(30 * time.Second)
		for !cond() {
			if time.Now().After(deadline) {
				t.Fatalf("waited in vain for %s", what)
			}
			if _, err := s.Prune(t.Context(), PruneOptions{Budget: 0}); err != nil {
				t.Error(err)
			}
		}
	}
	for i := range writers {
		waitFor("writer", func() bool { return count(fmt.Sprintf("w%d:", i)) >= 20 })
	}
	for _, cmd := range writers {
		cmd.Process.Kill()
		cmd.Wait()
	}
	all, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		img, err := s.Get(t.Context(), e.Name)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		if err := intact(img); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
	}
	// The killed writers hold nothing; this process's own Gets do.
	s.Close()
	s, err = Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	pruned, err := s.Prune(t.Context(), PruneOptions{Budget: 0})
	if err != nil {
		t.Fatal(err)
	}
	if pruned.Size != 0 || len(pruned.Removed) != len(all) {
		t.Errorf("after the last prune: %d bytes, %d of %d images removed", pruned.Size, len(pruned.Removed), len(all))
	}
	if leases, _ := filepath.Glob(filepath.Join(dir, leaseDir, "*")); len(leases) != 0 {
		t.Errorf("leases of the dead remain: %v", leases)
	}
}

func writeForever(t *testing.T, dir, name string) {
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		base := layerOf(t, s, "base", bytes.Repeat([]byte("b"), 4096))
		top := layerOf(t, s, "top", fmt.Appendf(nil, "%s %d", name, i))
		if _, err := s.Put(context.Background(), fmt.Sprintf("localhost/shop/%s:%d", name, i), imageOf(t, base, top), Built, ""); err != nil {
			fmt.Fprintln(os.Stderr, "writer:", err)
			os.Exit(1)
		}
	}
}

func TestConcurrentPut(t *testing.T) {
	s := openStore(t)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			layer := layerOf(t, s, "a", []byte{byte(i % 4)})
			if _, err := s.Put(t.Context(), fmt.Sprintf("localhost/shop/api:%d", i), imageOf(t, layer), Built, ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if all, err := s.List(); err != nil || len(all) != 16 {
		t.Errorf("%d images, %v; want 16", len(all), err)
	}
}
