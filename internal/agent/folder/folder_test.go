package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/agentspec/wire"
)

// open returns a folder that was filled from the given files, and where they lie.
func open(t testing.TB, seed map[string]string) (*Folder, string) {
	t.Helper()
	volume := filepath.Join(t.TempDir(), "volume")
	return reopen(t, volume, seedDir(t, seed)), filepath.Join(volume, Files)
}

func seedDir(t testing.TB, files map[string]string) string {
	seed := t.TempDir()
	for p, content := range files {
		testkit.WriteFile(t, filepath.Join(seed, p), content)
	}
	return seed
}

func reopen(t testing.TB, volume, seed string) *Folder {
	t.Helper()
	f, _, err := Open(volume, seed, "seed")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// onDisk returns what lies in a folder.
func onDisk(t testing.TB, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type().IsRegular() {
			rel, _ := filepath.Rel(dir, path)
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			got[rel] = string(b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func fileOf(content string) wire.File {
	return wire.File{Size: int64(len(content)), Sum: wire.SumOf(wire.AppendLeaves(nil, []byte(content)))}
}

func treeFor(files map[string]string) wire.Tree {
	t := wire.Tree{}
	for p, content := range files {
		t[p] = fileOf(content)
	}
	return t
}

// change carries out a transaction that writes and deletes.
func change(f *Folder, files map[string]string, gone []string, want wire.Sum, keep bool) error {
	b := wire.Begin{Gone: gone}
	c := wire.Commit{Tree: want}
	paths := slices.Sorted(maps.Keys(files))
	for _, p := range paths {
		b.Files = append(b.Files, wire.NewFile{Path: p, Size: int64(len(files[p]))})
		c.Sums = append(c.Sums, fileOf(files[p]).Sum)
	}
	tx, err := f.Begin(b)
	if err != nil {
		return err
	}
	for i, p := range paths {
		content := []byte(files[p])
		for at := 0; at < len(content); at += wire.MaxChunk {
			part := content[at:min(at+wire.MaxChunk, len(content))]
			if err := tx.Write(wire.Chunk{File: uint32(i), Offset: int64(at), Size: int64(len(part))}, part); err != nil {
				tx.Close()
				return err
			}
		}
	}
	return tx.Commit(c, keep)
}

func leftovers(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	for _, d := range []string{stageDir, undoDir} {
		entries, err := os.ReadDir(filepath.Join(dir, "..", d))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestSeed(t *testing.T) {
	seed := seedDir(t, map[string]string{"a": "1", "b/c": "2"})
	if err := os.Chmod(filepath.Join(seed, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a", filepath.Join(seed, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(seed, "dangling")); err != nil {
		t.Fatal(err)
	}
	volume := filepath.Join(t.TempDir(), "volume")
	f := reopen(t, volume, seed)
	want := treeFor(map[string]string{"a": "1", "b/c": "2", "link": "1"})
	for _, p := range []string{"a", "link"} {
		file := want[p]
		file.Exec = true
		want[p] = file
	}
	if got := f.Tree(); !maps.Equal(got, want) {
		t.Errorf("holds %v, want %v", got, want)
	}
	if info, err := os.Lstat(filepath.Join(volume, Files, "link")); err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o755 {
		t.Errorf("link: %v, %v", info.Mode(), err)
	}
}

func TestRandomTransactions(t *testing.T) {
	const rounds = 3000
	r := rand.New(rand.NewPCG(7, 7))
	f, dir := open(t, map[string]string{"a": "seed"})
	model := map[string]string{"a": "seed"}
	// Few names, so that files become folders and folders files.
	var names []string
	for _, a := range []string{"a", "b", "c"} {
		names = append(names, a)
		for _, b := range []string{"x", "y"} {
			names = append(names, a+"/"+b, a+"/"+b+"/deep")
		}
	}
	for round := range rounds {
		next := maps.Clone(model)
		files := map[string]string{}
		for range 1 + r.IntN(4) {
			p := names[r.IntN(len(names))]
			// What stands in the way goes.
			for q := range next {
				if q == p || strings.HasPrefix(q, p+"/") || strings.HasPrefix(p, q+"/") {
					delete(next, q)
					delete(files, q)
				}
			}
			if r.IntN(4) > 0 {
				files[p] = fmt.Sprint(round, p, strings.Repeat("x", r.IntN(9000)))
				next[p] = files[p]
			}
		}
		var gone []string
		for p := range model {
			if _, ok := next[p]; !ok {
				gone = append(gone, p)
			}
		}
		want := treeFor(next).Sum()
		if r.IntN(10) == 0 { // believed to lead to something else
			if err := change(f, files, gone, wire.Sum{1}, r.IntN(2) == 0); !errors.Is(err, ErrMoved) {
				t.Fatalf("round %d: %v, want ErrMoved", round, err)
			}
		} else {
			if err := change(f, files, gone, want, r.IntN(2) == 0); err != nil {
				t.Fatalf("round %d: writing %v, deleting %v: %v", round, slices.Collect(maps.Keys(files)), gone, err)
			}
			model = next
		}
		if got := f.Tree().Sum(); got != treeFor(model).Sum() {
			t.Fatalf("round %d: the tree is another one", round)
		}
		if round%20 == 0 {
			if got := onDisk(t, dir); !maps.Equal(got, model) {
				t.Fatalf("round %d: on disk %v", round, slices.Sorted(maps.Keys(got)))
			}
			if l := leftovers(t, dir); len(l) > 0 {
				t.Fatalf("round %d: left over %v", round, l)
			}
		}
	}
}

func TestAllOrNothing(t *testing.T) {
	seed := map[string]string{"a": "1", "b": "2", "d/e": "3", "z": "4"}
	for name, c := range map[string]struct {
		block func(dir string) // puts something in the way
		files map[string]string
		gone  []string
	}{
		"a folder of the process where a file has to be": {
			func(dir string) { testkit.WriteFile(t, filepath.Join(dir, "new/of-the-process"), "x") },
			map[string]string{"a": "A", "b": "B", "new": "N"}, []string{"z"},
		},
		"a file of the process where a folder has to be": {
			func(dir string) { testkit.WriteFile(t, filepath.Join(dir, "new"), "x") },
			map[string]string{"a": "A", "n/ew/dir": "1", "new/file": "N"}, []string{"z"},
		},
		"deleting first, then in the way": {
			func(dir string) { testkit.WriteFile(t, filepath.Join(dir, "d/of-the-process"), "x") },
			map[string]string{"a": "A", "d": "D"}, []string{"d/e", "z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, dir := open(t, seed)
			c.block(dir)
			before := onDisk(t, dir)
			next := maps.Clone(seed)
			for _, p := range c.gone {
				delete(next, p)
			}
			maps.Copy(next, c.files)
			if err := change(f, c.files, c.gone, treeFor(next).Sum(), true); err == nil {
				t.Fatal("it worked")
			} else {
				t.Log(err)
			}
			if got := onDisk(t, dir); !maps.Equal(got, before) {
				t.Errorf("on disk %v, want %v", got, before)
			}
			if got := f.Tree(); !maps.Equal(got, treeFor(seed)) {
				t.Errorf("holds %v", got)
			}
			if l := leftovers(t, dir); len(l) > 0 {
				t.Errorf("left over %v", l)
			}
			if n, _ := filepath.Glob(filepath.Join(dir, "n*", "*")); len(n) > 0 && !strings.Contains(n[0], "process") {
				t.Errorf("left over %v", n)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	f, dir := open(t, map[string]string{"real/file": "1"})
	outside := t.TempDir()
	for link, to := range map[string]string{"out": outside, "in": "real", "dot": "."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{
		"", ".", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "./a", "a/", "a\\b", "a\x00b", "a\nb",
		"../state.json", "../good/x",
		"out/file", "in/file", "dot/real/file", "out", "in",
	} {
		for _, b := range []wire.Begin{{Files: []wire.NewFile{{Path: p}}}, {Gone: []string{p}}, {Touch: []string{p}}} {
			if tx, err := f.Begin(b); err == nil {
				tx.Close()
				t.Errorf("%+v was not refused", b)
			}
		}
	}
	for _, b := range []wire.Begin{
		{Files: []wire.NewFile{{Path: "x"}, {Path: "x"}}},
		{Files: []wire.NewFile{{Path: "x"}}, Gone: []string{"x"}},
		{Gone: []string{"x"}, Touch: []string{"x"}},
	} {
		if tx, err := f.Begin(b); err == nil {
			tx.Close()
			t.Errorf("%+v was not refused", b)
		}
	}
	if entries, _ := os.ReadDir(outside); len(entries) > 0 {
		t.Errorf("written outside: %v", entries)
	}
	if l := leftovers(t, dir); len(l) > 0 {
		t.Errorf("left over %v", l)
	}
}

func TestIncomplete(t *testing.T) {
	content := strings.Repeat("x", 3*wire.LeafSize)
	f, dir := open(t, map[string]string{"a": content})
	base := fileOf(content).Sum
	begin := wire.Begin{Files: []wire.NewFile{{Path: "a", Size: int64(len(content)), Base: base}}}
	next := strings.Repeat("y", len(content))
	commit := wire.Commit{Sums: []wire.Sum{fileOf(next).Sum}, Tree: treeFor(map[string]string{"a": next}).Sum()}
	for name, send := range map[string]func(*Tx) error{
		"nothing":        func(*Tx) error { return nil },
		"a part":         func(tx *Tx) error { return tx.Write(chunk(0, wire.LeafSize), []byte(next[:wire.LeafSize])) },
		"something else": func(tx *Tx) error { return tx.Write(chunk(0, len(next)), []byte(content)) },
		"too much":       func(tx *Tx) error { return tx.Write(chunk(wire.LeafSize, len(next)), []byte(next)) },
		"half a leaf":    func(tx *Tx) error { return tx.Write(chunk(0, 100), []byte(next[:100])) },
		"another length": func(tx *Tx) error { return tx.Write(chunk(0, wire.LeafSize), []byte(next[:5])) },
		"another file":   func(tx *Tx) error { return tx.Write(wire.Chunk{File: 1, Size: 1}, []byte("x")) },
		"past the base":  func(tx *Tx) error { return tx.Copy(chunk(4*wire.LeafSize, wire.LeafSize)) },
		"a patch of noise": func(tx *Tx) error {
			return tx.Patch(chunk(0, wire.LeafSize), []byte("noise"), make([]byte, wire.LeafSize))
		},
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := f.Begin(begin)
			if err != nil {
				t.Fatal(err)
			}
			sent := send(tx)
			if err := tx.Commit(commit, false); err == nil {
				t.Error("it was committed")
			} else if sent == nil {
				t.Log(err)
			}
			if got := onDisk(t, dir); got["a"] != content {
				t.Error("the file was changed")
			}
		})
	}
}

func chunk(offset, size int) wire.Chunk { return wire.Chunk{Offset: int64(offset), Size: int64(size)} }

func TestBase(t *testing.T) {
	old := strings.Repeat("0123456789abcdef", 3*wire.LeafSize/16) + "tail"
	f, dir := open(t, map[string]string{"a": old})
	now := old[:wire.LeafSize] + strings.Repeat("z", wire.LeafSize) + old[2*wire.LeafSize:]
	tx, err := f.Begin(wire.Begin{Files: []wire.NewFile{{Path: "a", Size: int64(len(now)), Base: fileOf(old).Sum}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		tx.Copy(chunk(0, wire.LeafSize)),
		tx.Write(chunk(wire.LeafSize, wire.LeafSize), []byte(now[wire.LeafSize:2*wire.LeafSize])),
		tx.Copy(chunk(2*wire.LeafSize, len(now)-2*wire.LeafSize)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(wire.Commit{Sums: []wire.Sum{fileOf(now).Sum}, Tree: treeFor(map[string]string{"a": now}).Sum()}, false); err != nil {
		t.Fatal(err)
	}
	if onDisk(t, dir)["a"] != now {
		t.Error("another content")
	}
	// A base that somebody else wrote to since is noticed.
	testkit.WriteFile(t, filepath.Join(dir, "a"), "edited in the container")
	if _, err := f.Begin(wire.Begin{Files: []wire.NewFile{{Path: "a", Size: 1, Base: fileOf(now).Sum}}}); !errors.Is(err, ErrMoved) {
		t.Errorf("with a base that was edited: %v", err)
	}
	if got := f.Tree(); got["a"] != fileOf("edited in the container") {
		t.Errorf("holds %v", got)
	}
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if got := f.Tree(); len(got) != 0 {
		t.Errorf("holds %v", got)
	}
}

func TestTouch(t *testing.T) {
	f, dir := open(t, map[string]string{"a": "1"})
	before, err := os.Stat(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	tx, err := f.Begin(wire.Begin{Touch: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(wire.Commit{Tree: f.Sum()}, false); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(filepath.Join(dir, "a"))
	if err != nil || os.SameFile(before, after) {
		t.Errorf("it is the same file: %v", err)
	}
	if got := f.Tree(); !maps.Equal(got, treeFor(map[string]string{"a": "1"})) {
		t.Errorf("holds %v", got)
	}
}
