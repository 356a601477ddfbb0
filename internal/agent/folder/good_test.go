package folder

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fsnotify/fsnotify"

	"zr/internal/testkit"
)

func TestRestore(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 100 {
		good := map[string]string{"app": "good", "dir/x": "same", "dir/y": "same", "gone": "1"}
		f, dir := open(t, good)
		if f.HasGood() || restore(f) == nil {
			t.Fatal("there is a good version before there was one")
		}
		f.MarkGood()
		if f.HasGood() {
			t.Fatal("it holds the good version, and could go back to it")
		}
		now := maps.Clone(good)
		for i := range 1 + r.IntN(4) { // several bad versions in a row
			files := map[string]string{"app": fmt.Sprint("bad ", i)}
			if r.IntN(2) == 0 {
				files["dir/x"] = fmt.Sprint("other ", i)
			}
			if r.IntN(2) == 0 {
				files[fmt.Sprint("new/", i)] = "new"
			}
			maps.Copy(now, files)
			var deleted []string
			if _, ok := now["gone"]; ok && r.IntN(2) == 0 {
				deleted = append(deleted, "gone")
				delete(now, "gone")
			}
			if err := change(f, files, deleted, treeFor(now).Sum(), true); err != nil {
				t.Fatal(err)
			}
		}
		if !f.HasGood() {
			t.Fatal("there is no good version")
		}
		if err := restore(f); err != nil {
			t.Fatal(err)
		}
		if got := onDisk(t, dir); !maps.Equal(got, good) {
			t.Fatalf("on disk %v", got)
		}
		if got := f.Tree(); !maps.Equal(got, treeFor(good)) {
			t.Fatalf("holds %v", got)
		}
	}
}

func restore(f *Folder) error {
	_, err := f.Restore()
	return err
}

// TestRestoreOfWhatWasTried goes back by two versions, through what the one in
// between replaced, added and deleted.
func TestRestoreOfWhatWasTried(t *testing.T) {
	good := map[string]string{"app": "good", "dir/x": "same", "gone": "1"}
	tried := map[string]string{"app": "tried", "dir/x": "same", "new/a": "good"}
	bad := map[string]string{"app": "bad", "dir/x": "other", "gone": "1"}
	f, dir := open(t, good)
	f.MarkGood()
	turn := func(to map[string]string, gone ...string) {
		t.Helper()
		if err := change(f, to, gone, treeFor(to).Sum(), true); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(want map[string]string, back bool) {
		t.Helper()
		if got := onDisk(t, dir); !maps.Equal(got, want) || f.HasGood() != back {
			t.Fatalf("on disk %v, with another to go back to: %v; want %v, %v", got, f.HasGood(), want, back)
		}
	}
	for range 3 { // a series of saves, each of which runs for a while
		turn(tried, "gone")
		f.MarkTried()
		turn(bad, "new/a")
		if good, err := f.Restore(); good || err != nil {
			t.Fatal(good, err)
		}
		holds(tried, true)
		turn(bad, "new/a")
		f.MarkTried()
		turn(tried, "gone")
		if good, err := f.Restore(); good || err != nil {
			t.Fatal(good, err)
		}
		holds(bad, true)
		if good, err := f.Restore(); !good || err != nil {
			t.Fatal(good, err)
		}
		holds(good, false)
	}
	f.MarkGood()
	if kept := onDisk(t, filepath.Join(dir, "..", goodDir)); len(kept) > 0 {
		t.Errorf("left over %v", kept)
	}
}

// Whoever watches the files sees a save and nothing of the agent's books.
func TestOnlyTheSaveIsSeen(t *testing.T) {
	files := map[string]string{"a": "1", "b": "1"}
	f, dir := open(t, files)
	f.MarkGood()
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Close()
	if err := watcher.Add(dir); err != nil {
		t.Fatal(err)
	}
	files["a"] = "2"
	if err := change(f, map[string]string{"a": "2"}, nil, treeFor(files).Sum(), false); err != nil {
		t.Fatal(err)
	}
	f.MarkGood()
	if err := f.Save("seed", "build"); err != nil {
		t.Fatal(err)
	}
	end := filepath.Join(dir, "end")
	testkit.WriteFile(t, end, "")
	var seen []string
	for e := range watcher.Events {
		if e.Name == end {
			break
		}
		seen = append(seen, e.String())
	}
	if len(seen) != 1 || !strings.HasPrefix(seen[0], "CREATE ") || !strings.Contains(seen[0], "/a\"") {
		t.Errorf("seen: %q", seen)
	}
}

func TestResume(t *testing.T) {
	seed := seedDir(t, map[string]string{"app": "seed", "other": "seed"})
	volume := filepath.Join(t.TempDir(), "volume")
	dir := filepath.Join(volume, Files)
	live := map[string]string{"app": "live", "new/file": "1"}

	push := func(t *testing.T) *Folder {
		os.RemoveAll(volume)
		f := reopen(t, volume, seed)
		if err := change(f, live, []string{"other"}, treeFor(live).Sum(), true); err != nil {
			t.Fatal(err)
		}
		if err := f.Save("seed", "live-hash"); err != nil {
			t.Fatal(err)
		}
		return f
	}
	seeded := map[string]string{"app": "seed", "other": "seed"}
	for name, c := range map[string]struct {
		between func(*Folder)
		seed    string
		build   string
		want    map[string]string
	}{
		"intact":        {func(*Folder) {}, "seed", "live-hash", live},
		"another image": {func(*Folder) {}, "seed-2", "seed-2", seeded},
		"edited":        {func(*Folder) { testkit.WriteFile(t, filepath.Join(dir, "app"), "edited") }, "seed", "seed", seeded},
		"a file is missing": {
			func(*Folder) { os.Remove(filepath.Join(dir, "new/file")) }, "seed", "seed", seeded,
		},
		"one more commit that was not saved": {
			func(f *Folder) {
				now := maps.Clone(live)
				now["stray"] = "x"
				if err := change(f, map[string]string{"stray": "x"}, nil, treeFor(now).Sum(), true); err != nil {
					t.Fatal(err)
				}
			}, "seed", "seed", seeded,
		},
		"leftovers of a transfer": {
			func(*Folder) { testkit.WriteFile(t, filepath.Join(volume, stageDir, "9.9"), "half a file") }, "seed", "live-hash", live,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := push(t)
			c.between(f)
			f.Close()
			mounted, err := os.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer mounted.Close()
			f, build, err := Open(volume, seed, c.seed)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if build != c.build {
				t.Errorf("comes up with build %q, want %q", build, c.build)
			}
			if got := onDisk(t, dir); !maps.Equal(got, c.want) {
				t.Errorf("on disk %v, want %v", got, c.want)
			}
			if got := f.Tree(); !maps.Equal(got, treeFor(c.want)) {
				t.Errorf("holds %v", got)
			}
			before, _ := mounted.Stat()
			if after, err := os.Stat(dir); err != nil || !os.SameFile(before, after) {
				t.Errorf("another folder than the one that is mounted: %v", err)
			}
			if l := leftovers(t, dir); len(l) > 0 {
				t.Errorf("left over %v", l)
			}
		})
	}
}
