package folder

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"zr/internal/testkit"
	"zr/pkg/build/internal/inputs"
)

// TestAnotherKindOfThingUnderAName: a name that was a file's may be a folder's now, or
// a symlink's to either, although the folder that it is in lists the same names.
func TestAnotherKindOfThingUnderAName(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "web")
	for _, name := range []string{"web/x", "one", "few/a", "more/a", "more/sub/b"} {
		testkit.WriteFile(t, filepath.Join(root, name), "1")
	}
	if err := os.Mkdir(filepath.Join(root, "none"), 0o755); err != nil {
		t.Fatal(err)
	}
	set := inputs.Load(root, "", NewLister(root, dir, func(string) bool { return false }))
	kinds := map[string]struct {
		target string   // of a symlink; "" for a file
		files  []string // of the set
	}{
		"file":                      {"", []string{"web/x"}},
		"symlink to a file":         {"../one", []string{"web/x"}},
		"symlink to a folder":       {"../few", []string{"web/x/a"}},
		"symlink to another folder": {"../more", []string{"web/x/a", "web/x/sub/b"}},
		"symlink to an empty one":   {"../none", nil},
		"symlink to nothing":        {"../missing", []string{"web/x"}},
		"symlink to itself":         {"x", []string{"web/x"}},
		"symlink that leads back":   {".", nil},
	}
	look := func(what string, want []string) {
		t.Helper()
		if err := set.Refresh(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
		var got []string
		for _, f := range set.Files() {
			got = append(got, f.Path)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	put := func(kind string) {
		t.Helper()
		if err := os.RemoveAll(filepath.Join(dir, "x")); err != nil {
			t.Fatal(err)
		}
		if target := kinds[kind].target; target == "" {
			testkit.WriteFile(t, filepath.Join(dir, "x"), "1")
		} else if err := os.Symlink(target, filepath.Join(dir, "x")); err != nil {
			t.Fatal(err)
		}
		look(kind, kinds[kind].files)
	}
	for from := range kinds {
		for to := range kinds {
			put(from)
			put(to)
		}
		put(from)
		if err := os.RemoveAll(filepath.Join(dir, "x")); err != nil {
			t.Fatal(err)
		}
		testkit.WriteFile(t, filepath.Join(dir, "x/own"), "1")
		look("a folder after a "+from, []string{"web/x/own"})
	}
}

// TestListStandsOnlyWhereItIsTheSame: after each of many random changes, a set that
// has lived through them knows the same files as one that looks for the first time.
func TestListStandsOnlyWhereItIsTheSame(t *testing.T) {
	names := []string{"a", "b", "c", "a/a", "a/b", "b/a", "b/c", "c/a/b", "a/c/a", ".gitignore", "a/.gitignore", "node_modules/x"}
	never := func(path string) bool { return filepath.Base(path) == "node_modules" }
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 0))
		top := t.TempDir()
		root, outside := filepath.Join(top, "p"), filepath.Join(top, "out")
		dir := filepath.Join(root, "web")
		testkit.WriteFile(t, filepath.Join(dir, "a"), "1")
		testkit.WriteFile(t, filepath.Join(outside, "f"), "1")
		targets := []string{"b", "../a", "../../p/web/c", outside, filepath.Join(outside, "f"), "nowhere", "."}
		set := inputs.Load(root, "", NewLister(root, dir, never))
		var log []string
		for range 60 {
			name := names[r.IntN(len(names))]
			path := filepath.Join(dir, name)
			op := r.IntN(5)
			log = append(log, fmt.Sprint(op, " ", name))
			if op != 0 {
				os.RemoveAll(path)
			}
			os.MkdirAll(filepath.Dir(path), 0o755) // where a file or a symlink is in the way, the change does nothing
			switch op {
			case 0, 1:
				os.WriteFile(path, []byte([]string{"a\n", "b/\n", "!a\n"}[r.IntN(3)]), 0o644)
			case 2:
				os.Symlink(targets[r.IntN(len(targets))], path)
			case 3:
				os.Mkdir(path, 0o755)
			case 4:
				os.Rename(filepath.Join(dir, names[r.IntN(len(names))]), path)
			}
			fresh := inputs.Load(root, "", NewLister(root, dir, never))
			if err := errors.Join(set.Refresh(t.Context()), fresh.Refresh(t.Context())); err != nil || set.Sum() != fresh.Sum() {
				t.Fatalf("seed %d, after %q: %v, %s", seed, log, err, cmp.Diff(fresh.Files(), set.Files()))
			}
		}
	}
}
