package editor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEditorsSaveAsTheyDo(t *testing.T) {
	for _, e := range Editors {
		t.Run(e.Name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.go")
			var before os.FileInfo
			for i, text := range []string{"one\nline\n", "another\n", ""} {
				if err := e.Save(path, []byte(text)); err != nil {
					t.Fatal(err)
				}
				got, err := os.ReadFile(path)
				if err != nil || string(got) != text {
					t.Errorf("save %d: the file holds %q, %v, want %q", i, got, err, text)
				}
				after, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				if i > 0 && os.SameFile(before, after) != e.InPlace {
					t.Errorf("save %d: the same file: %v, want %v", i, !e.InPlace, e.InPlace)
				}
				before = after
			}
			entries, err := os.ReadDir(filepath.Dir(path))
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range entries {
				if name := entry.Name(); name != "a.go" && (name != "a.go~" || e.Name != "Emacs") {
					t.Errorf("%s is left", name)
				}
			}
		})
	}
}

// read is what a program that is made from a folder answers.
func read(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	var b strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(strings.TrimSuffix(filepath.Base(file), ".txt") + "=" + string(text) + "\n")
	}
	return b.String()
}

func text(value string) string { return value }

func TestFolderKnowsWhatItHolds(t *testing.T) {
	dir := t.TempDir()
	f, err := NewFolder(dir, ".txt", 1, text)
	if err != nil {
		t.Fatal(err)
	}
	done := map[string]int{}
	for i := range 300 {
		before := f.Want()
		what, err := f.Change()
		if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
		done[what]++
		if f.Want() == before {
			t.Errorf("change %d, %s, changed nothing", i, what)
		}
		if got := read(t, dir); got != f.Want() {
			t.Fatalf("change %d, %s: the folder holds\n%swant\n%s", i, what, got, f.Want())
		}
	}
	for _, c := range changes {
		if done[c.name] == 0 {
			t.Errorf("no %s in 300 changes", c.name)
		}
	}
}

func TestFolderOfTheSameSeedIsTheSame(t *testing.T) {
	var all [2]string
	for i := range all {
		f, err := NewFolder(t.TempDir(), ".txt", 7, text)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			what, err := f.Change()
			if err != nil {
				t.Fatal(err)
			}
			all[i] += what + "\n" + f.Want()
		}
	}
	if all[0] != all[1] {
		t.Errorf("of one seed came\n%s\nand\n%s", all[0], all[1])
	}
}

func TestSameSizeAndTime(t *testing.T) {
	dir := t.TempDir()
	f, err := NewFolder(dir, ".txt", 3, text)
	if err != nil {
		t.Fatal(err)
	}
	type stat struct {
		size int64
		time int64
	}
	look := func() map[string]stat {
		all := map[string]stat{}
		for name := range f.parts {
			info, err := os.Stat(f.path(name))
			if err != nil {
				t.Fatal(err)
			}
			all[name] = stat{info.Size(), info.ModTime().UnixNano()}
		}
		return all
	}
	before, want := look(), f.Want()
	if err := f.sameSizeAndTime(); err != nil {
		t.Fatal(err)
	}
	for name, now := range look() {
		if now != before[name] {
			t.Errorf("%s was %v and is %v", name, before[name], now)
		}
	}
	if f.Want() == want {
		t.Error("nothing was changed")
	}
}
