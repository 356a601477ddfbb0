package folder

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

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
	if kept := onDisk(t, filepath.Join(dir, goodDir)); len(kept) > 0 {
		t.Errorf("left over %v", kept)
	}
}

// A dev server may watch the agent's folders, as all of its tree: a folder that
// goes and comes back costs it more than the save.
func TestFoldersStay(t *testing.T) {
	f, dir := open(t, map[string]string{"a": "1"})
	f.MarkGood()
	folders := func() (infos []os.FileInfo) {
		for _, name := range []string{stageDir, undoDir, goodDir} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			infos = append(infos, info)
		}
		return infos
	}
	// Held open, so that its inode is not given to another one.
	kept, err := os.Open(filepath.Join(dir, goodDir))
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	before := folders()
	if err := change(f, map[string]string{"a": "2"}, nil, treeFor(map[string]string{"a": "2"}).Sum(), true); err != nil {
		t.Fatal(err)
	}
	f.MarkGood()
	if err := f.Save("seed", "build"); err != nil {
		t.Fatal(err)
	}
	for i, after := range folders() {
		if !os.SameFile(before[i], after) {
			t.Errorf("%s was made anew", after.Name())
		}
	}
}

func TestResume(t *testing.T) {
	seed := seedDir(t, map[string]string{"app": "seed", "other": "seed"})
	dir := filepath.Join(t.TempDir(), "app")
	live := map[string]string{"app": "live", "new/file": "1"}

	push := func(t *testing.T) *Folder {
		os.RemoveAll(dir)
		f := reopen(t, dir, seed)
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
			func(*Folder) { testkit.WriteFile(t, filepath.Join(dir, stageDir, "9.9"), "half a file") }, "seed", "live-hash", live,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := push(t)
			c.between(f)
			f.Close()
			f, build, err := Open(dir, seed, c.seed)
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
			if l := leftovers(t, dir); len(l) > 0 {
				t.Errorf("left over %v", l)
			}
		})
	}
}
