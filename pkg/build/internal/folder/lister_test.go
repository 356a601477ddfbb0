package folder

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"zr/internal/testkit"
	"zr/pkg/build/internal/inputs"
)

// TestAnotherKindOfThingUnderAName: a name that was a file's may be a folder's now, or
// a link's to either, although the folder that it is in lists the same names.
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
		target string   // of a link; "" for a file
		files  []string // of the set
	}{
		"file":                   {"", []string{"web/x"}},
		"link to a file":         {"../one", []string{"web/x"}},
		"link to a folder":       {"../few", []string{"web/x/a"}},
		"link to another folder": {"../more", []string{"web/x/a", "web/x/sub/b"}},
		"link to an empty one":   {"../none", nil},
		"link to nothing":        {"../missing", []string{"web/x"}},
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
