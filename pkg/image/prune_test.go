package image

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// kilobytes is a layer content of about n KB that differs by seed.
func kilobytes(n int, seed byte) []byte { return bytes.Repeat([]byte{seed}, n<<10) }

// ticking is a clock that moves a second at each look.
func ticking() option {
	now := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	return func(s *Store) { s.now = func() time.Time { now = now.Add(time.Second); return now } }
}

// reopen drops what the process holds in use.
func reopen(t *testing.T, s *Store, options ...option) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range options {
		o(again)
	}
	t.Cleanup(func() { again.Close() })
	return again
}

func TestPruneDropsTheLeastRecentlyUsed(t *testing.T) {
	s := openStore(t, ticking())
	for i := range 4 {
		put(t, s, fmt.Sprintf("example.test/x%d:1", i), imageOf(t, layerOf(t, s, "a", kilobytes(100, byte(i)))), Pulled)
	}
	s = reopen(t, s)
	if !s.Has("example.test/x0:1") { // the oldest becomes the newest
		t.Fatal("x0 is gone")
	}
	pruned, err := s.Prune(t.Context(), PruneOptions{Budget: 250 << 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(pruned.Removed) != 2 || pruned.Freed < 200<<10 || pruned.Size > 250<<10 {
		t.Errorf("pruned %+v", pruned)
	}
	for name, want := range map[string]bool{"x0": true, "x1": false, "x2": false, "x3": true} {
		if got := s.Has("example.test/" + name + ":1"); got != want {
			t.Errorf("%s in store: %v, want %v", name, got, want)
		}
	}
}

func TestPruneKeepsSharedLayersAndWhatIsUsed(t *testing.T) {
	s := openStore(t, ticking())
	base := layerOf(t, s, "base", kilobytes(100, 'b'))
	put(t, s, "example.test/old:1", imageOf(t, base, layerOf(t, s, "a", kilobytes(10, 1))), Pulled)
	put(t, s, "example.test/used:1", imageOf(t, base, layerOf(t, s, "a", kilobytes(10, 2))), Pulled)
	put(t, s, "example.test/kept:1", imageOf(t, base, layerOf(t, s, "a", kilobytes(10, 3))), Pulled)
	s = reopen(t, s)

	user := openStoreAt(t, s.Dir()) // another process, as far as leases go
	if _, err := user.Get(t.Context(), "example.test/used:1"); err != nil {
		t.Fatal(err)
	}
	pruned, err := s.Prune(t.Context(), PruneOptions{Budget: 0, Keep: []string{"example.test/kept:1"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(pruned.Removed) != 1 || pruned.Removed[0].Name != "example.test/old:1" {
		t.Errorf("removed %+v, want only old", pruned.Removed)
	}
	for _, name := range []string{"used", "kept"} {
		if !s.Has("example.test/" + name + ":1") {
			t.Errorf("%s was dropped", name)
		}
	}
}

func openStoreAt(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestPruneSuperseded(t *testing.T) {
	s := openStore(t, ticking())
	var names []string
	for i := range 3 {
		entry, err := s.PutPinned(t.Context(), LocalName("shop", "api"), imageOf(t, layerOf(t, s, "a", kilobytes(1, byte(i)))), Built, "")
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, entry.Name)
	}
	s = reopen(t, s)
	pruned, err := s.Prune(t.Context(), PruneOptions{Budget: -1, Superseded: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(pruned.Removed) != 2 || !s.Has(names[2]) {
		t.Errorf("removed %+v, want the two older builds", pruned.Removed)
	}
}

// TestPutKeepsTheBudget: what is used now stays even above the budget, and
// goes once it is not.
func TestPutKeepsTheBudget(t *testing.T) {
	budget := func(s *Store) { s.budget = 250 << 10 }
	s := openStore(t, ticking(), budget)
	for i := range 3 {
		put(t, s, fmt.Sprintf("example.test/x%d:1", i), imageOf(t, layerOf(t, s, "a", kilobytes(100, byte(i)))), Pulled)
	}
	if all, _ := s.List(); len(all) != 3 {
		t.Fatalf("%d images while all are in use, want 3", len(all))
	}
	s = reopen(t, s, budget)
	put(t, s, "example.test/x4:1", imageOf(t, layerOf(t, s, "a", kilobytes(100, 4))), Pulled)
	all, err := s.List()
	if err != nil || len(all) != 2 || all[0].Name != "example.test/x4:1" {
		t.Errorf("left: %+v, %v; want x4 and x2", all, err)
	}
}

func TestPruneRemovesLeftovers(t *testing.T) {
	s := openStore(t)
	old := filepath.Join(s.Dir(), ingestDir, "blob-old")
	if err := os.WriteFile(old, []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	put(t, s, "example.test/x:1", imageOf(t), Pulled)
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Error("the leftover of a dead process is there after a write")
	}
	w, err := s.NewLayer(t.Context()) // a layer that is being written
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if err := os.Chtimes(w.f.Name(), past, past); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context(), PruneOptions{Budget: 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(); err != nil {
		t.Errorf("the layer that was being written is lost: %v", err)
	}
}
