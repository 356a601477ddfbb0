package watch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zr/internal/testkit"
)

// TestIncluded: what a compiler reads is watched though an ignore file hides it, and
// nothing else that it hides is.
func TestIncluded(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) { testkit.WriteFile(t, filepath.Join(root, name), text) }
	must(t, os.Mkdir(filepath.Join(root, ".git"), 0o755))
	write(".gitignore", "*_templ.go\ndist/\n/gen\n*.log\n")
	for _, name := range []string{"svc/main.go", "svc/page_templ.go", "svc/debug.log", "svc/dist/page.html", "svc/dist/css/a.css", "gen/deep/api/api.go", "gen/deep/api/x.log", "gen/deep/other/o.go"} {
		write(name, "one")
	}
	w, err := New(t.Context(), Options{Roots: []string{root}})
	must(t, err)
	batches := running(t, w)
	folder := func(name string, deep bool) Folder { return Folder{filepath.Join(root, name), deep} }
	w.Include([]Folder{folder("svc", false), folder("svc/dist", true), folder("gen/deep/api", false), folder("later", false)},
		func(path string) bool { return !strings.HasSuffix(path, ".log") })
	n := 0
	// mark writes a file that is watched, and returns what was seen before that.
	mark := func() []string {
		t.Helper()
		n++
		write("svc/mark.txt", strings.Repeat("x", n))
		changes, _ := until(t, batches, root, "svc/mark.txt")
		return slices.DeleteFunc(changes, func(c string) bool { return c == "write svc/mark.txt" })
	}
	mark()
	for _, tc := range []struct {
		name string
		do   func()
		want string // the last change of it; "" for none
	}{
		{"a generated file", func() { write("svc/page_templ.go", "two") }, "write svc/page_templ.go"},
		{"a new one", func() { write("svc/new_templ.go", "two") }, "write svc/new_templ.go"},
		{"one that goes", func() { must(t, os.Remove(filepath.Join(root, "svc/page_templ.go"))) }, "remove svc/page_templ.go"},
		{"what nobody reads", func() { write("svc/debug.log", "two") }, ""},
		{"an embedded file", func() { write("svc/dist/page.html", "two") }, "write svc/dist/page.html"},
		{"one below", func() { write("svc/dist/css/a.css", "two") }, "write svc/dist/css/a.css"},
		{"a new folder of those", func() { write("svc/dist/js/b.js", "two") }, "write svc/dist/js/b.js"},
		{"a new file in it", func() { write("svc/dist/js/c.js", "two") }, "write svc/dist/js/c.js"},
		{"a hidden package", func() { write("gen/deep/api/api.go", "two") }, "write gen/deep/api/api.go"},
		{"what else is in it", func() { write("gen/deep/api/x.log", "two") }, ""},
		{"another hidden one", func() { write("gen/deep/other/o.go", "two") }, ""},
		{"a folder that is made anew", func() { must(t, os.RemoveAll(filepath.Join(root, "svc/dist"))); write("svc/dist/page.html", "three") }, "write svc/dist/page.html"},
		{"and saved again", func() { write("svc/dist/page.html", "four") }, "write svc/dist/page.html"},
		{"the way to it made anew", func() { must(t, os.RemoveAll(filepath.Join(root, "gen"))); write("gen/deep/api/api.go", "three") }, "write gen/deep/api/api.go"},
		{"and saved again", func() { write("gen/deep/api/api.go", "four") }, "write gen/deep/api/api.go"},
		{"other rules", func() { write(".gitignore", "*_templ.go\n/svc/dist/\n/gen\n*.log\nlater\n") }, "write .gitignore"},
		{"after which it is watched still", func() { write("svc/dist/page.html", "five") }, "write svc/dist/page.html"},
		{"a hidden folder that comes to be", func() { write("later/l.go", "one") }, "write later/l.go"},
	} {
		tc.do()
		var seen []string
		if tc.want != "" {
			seen, _ = until(t, batches, root, strings.Fields(tc.want)[1])
		}
		seen = append(seen, mark()...)
		if tc.want == "" && len(seen) > 0 || tc.want != "" && !slices.Contains(seen, tc.want) {
			t.Errorf("%s: saw %q, want %q", tc.name, seen, tc.want)
		}
	}
}

// TestIncludedIsComparedToo: where events do not work, it is polled.
func TestIncludedIsComparedToo(t *testing.T) {
	root := t.TempDir()
	testkit.WriteFile(t, filepath.Join(root, ".gitignore"), "/gen\n")
	testkit.WriteFile(t, filepath.Join(root, "gen/api/api.go"), "one")
	w, err := New(t.Context(), Options{Roots: []string{root}})
	must(t, err)
	t.Cleanup(func() { w.kernel.Close() })
	r := w.tree.roots[0]
	file := filepath.Join(r.real, "gen/api/api.go")
	if _, seen := w.snapshot(r)[file]; seen {
		t.Error("a hidden file is compared")
	}
	i := &inclusion{[]Folder{{filepath.Join(root, "gen/api"), false}}, func(string) bool { return true }}
	must(t, w.tree.include(i, func(string) {}))
	if _, seen := w.snapshot(r)[file]; !seen {
		t.Error("an included file is not compared")
	}
}
