package inputs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// folder lists all *.txt files of a folder; a line "use x" in one names a
// further file, as an import would.
type folder struct {
	root     string
	settings string
	lists    int
}

func (f *folder) Settings() string { return f.settings }

func (f *folder) List(context.Context) (List, error) {
	f.lists++
	names, err := listing(Dir{Path: f.root}, f)
	if err != nil {
		return List{}, err
	}
	l := List{Dirs: []Dir{{Path: f.root}}, Further: []string{"flag"}}
	for _, name := range names {
		path := filepath.Join(f.root, name)
		l.Files = append(l.Files, path)
		content, _ := os.ReadFile(path) // a symlink to a folder has none
		if used := f.Shape(path, content); used != "" {
			l.Files = append(l.Files, filepath.Join(f.root, used))
		}
	}
	return l, nil
}

func (f *folder) Shape(_ string, content []byte) string {
	for line := range strings.Lines(string(content)) {
		if used, ok := strings.CutPrefix(strings.TrimSpace(line), "use "); ok {
			return used
		}
	}
	return ""
}

func (f *folder) Relevant(_ Dir, name string, _ bool) bool { return strings.HasSuffix(name, ".txt") }

type fixture struct {
	t      *testing.T
	lister *folder
	cache  string
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, lister: &folder{root: t.TempDir()}, cache: filepath.Join(t.TempDir(), "inputs.json")}
	f.write("a.txt", "one")
	f.write("b.txt", "two")
	f.nextTick()
	return f
}

func (f *fixture) path(name string) string { return filepath.Join(f.lister.root, name) }

func (f *fixture) write(name, content string) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), []byte(content), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// nextTick waits until a list that begins now is later than all writes.
func (f *fixture) nextTick() { time.Sleep(2 * tick) }

// load is a new process: it has only the cache file.
func (f *fixture) load() *Set {
	f.t.Helper()
	s := Load(f.lister.root, f.cache, f.lister)
	if err := s.Refresh(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return s
}

func TestUnchangedListsOnce(t *testing.T) {
	f := newFixture(t)
	first := f.load().Sum()
	for range 3 {
		if got := f.load().Sum(); got != first {
			t.Errorf("sum changed from %s to %s", first, got)
		}
	}
	if f.lister.lists != 1 {
		t.Errorf("listed %d times, want once", f.lister.lists)
	}
}

func TestChanges(t *testing.T) {
	for name, c := range map[string]struct {
		do    func(f *fixture)
		same  bool // the hash stays
		lists int  // how often more the list is made
	}{
		"content":      {do: func(f *fixture) { f.write("a.txt", "ONE") }},
		"touched only": {do: func(f *fixture) { now := time.Now().Add(time.Hour); os.Chtimes(f.path("a.txt"), now, now) }, same: true},
		"same stat": {do: func(f *fixture) { // same size, and the old times put back
			info, _ := os.Stat(f.path("a.txt"))
			f.write("a.txt", "eno")
			os.Chtimes(f.path("a.txt"), info.ModTime(), info.ModTime())
		}},
		"new file":      {do: func(f *fixture) { f.write("c.txt", "three") }, lists: 1},
		"new, no input": {do: func(f *fixture) { f.write(".a.txt.swp", "x") }, same: true},
		"deleted":       {do: func(f *fixture) { os.Remove(f.path("b.txt")) }, lists: 1},
		"atomic save": {do: func(f *fixture) {
			f.write("a.txt~", "ONE")
			os.Rename(f.path("a.txt~"), f.path("a.txt"))
		}},
		"new use":    {do: func(f *fixture) { f.write("a.txt", "one\nuse other.cfg") }, lists: 1},
		"executable": {do: func(f *fixture) { os.Chmod(f.path("a.txt"), 0o755) }},
		"renamed":    {do: func(f *fixture) { os.Rename(f.path("a.txt"), f.path("z.txt")) }, lists: 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			kept := f.load()
			before, lists := kept.Sum(), f.lister.lists
			c.do(f)
			f.nextTick()
			after := f.load().Sum()
			if (after == before) != c.same {
				t.Errorf("hash stays: %v, want %v", after == before, c.same)
			}
			if got := f.lister.lists - lists; got != c.lists {
				t.Errorf("listed %d times more, want %d", got, c.lists)
			}
			if err := kept.Refresh(t.Context()); err != nil || kept.Sum() != after {
				t.Errorf("a set that lives on says %s, %v; a new process %s", kept.Sum(), err, after)
			}
		})
	}
}

// What a save waits for writes nothing, unless the list is another one.
func TestKeep(t *testing.T) {
	f := newFixture(t)
	s := f.load()
	cached := func() string {
		b, err := os.ReadFile(f.cache)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	refresh := func() {
		if err := s.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	listed := cached()
	f.write("a.txt", "ONE")
	f.nextTick()
	refresh()
	if cached() != listed {
		t.Error("a changed file was written to the cache at once")
	}
	if err := s.Keep(); err != nil || cached() == listed {
		t.Errorf("not kept: %v", err)
	}
	kept := cached()
	f.write("c.txt", "three")
	refresh()
	if cached() == kept {
		t.Error("a new list was not kept")
	}
}

// TestPutBack: the content that was there before has the hash of before.
func TestPutBack(t *testing.T) {
	f := newFixture(t)
	first := f.load().Sum()
	f.write("a.txt", "ONE")
	f.load()
	f.write("a.txt", "one")
	if got := f.load().Sum(); got != first {
		t.Errorf("sum %s, want that of before, %s", got, first)
	}
}

// TestWrittenWhileListing: an import that is added while the list is made is
// not missed.
func TestWrittenWhileListing(t *testing.T) {
	f := newFixture(t)
	s := Load(f.lister.root, f.cache, &writesAfterList{f.lister, func() { f.write("a.txt", "one\nuse other.cfg") }})
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.nextTick()
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !s.Contains("other.cfg") {
		t.Error("the file that is used since is not an input")
	}
}

type writesAfterList struct {
	*folder
	write func()
}

func (w *writesAfterList) List(ctx context.Context) (List, error) {
	l, err := w.folder.List(ctx)
	if w.write != nil {
		w.write()
		w.write = nil
	}
	return l, err
}

func TestContains(t *testing.T) {
	f := newFixture(t)
	s := f.load()
	for path, want := range map[string]bool{
		"a.txt": true, f.path("a.txt"): true, "new.txt": true, "new.md": false, "sub/new.txt": false, "../a.txt": false,
	} {
		if got := s.Contains(path); got != want {
			t.Errorf("Contains(%q) = %v, want %v", path, got, want)
		}
	}
}

func TestTwoFoldersSameSum(t *testing.T) {
	if a, b := newFixture(t).load(), newFixture(t).load(); a.Sum() != b.Sum() || len(a.Hash()) != 16 {
		t.Errorf("sums %s and %s", a.Sum(), b.Sum())
	}
}

// TestOtherSettings: what is kept of a run with other settings is not believed.
func TestOtherSettings(t *testing.T) {
	f := newFixture(t)
	f.load()
	f.lister.settings = "TOKEN=secret"
	lists := f.lister.lists
	f.load()
	f.load()
	if got := f.lister.lists - lists; got != 1 {
		t.Errorf("listed %d times after the settings changed", got)
	}
	if kept, _ := os.ReadFile(f.cache); strings.Contains(string(kept), "secret") {
		t.Error("the settings are kept in the clear")
	}
}

// TestSymlinkToAFolder: a symlink to a folder is an input by where it leads.
func TestSymlinkToAFolder(t *testing.T) {
	f := newFixture(t)
	if err := os.Symlink("..", f.path("up.txt")); err != nil {
		t.Fatal(err)
	}
	before := f.load().Sum()
	if err := errors.Join(os.Remove(f.path("up.txt")), os.Symlink(".", f.path("up.txt"))); err != nil {
		t.Fatal(err)
	}
	if f.load().Sum() == before {
		t.Error("another target makes no difference")
	}
}
