package watch

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zr/internal/testkit"
)

// watched runs a watcher over root until the test ends.
func watched(t *testing.T, o Options) <-chan Batch {
	t.Helper()
	w, err := New(t.Context(), o)
	must(t, err)
	return running(t, w)
}

// running runs w until the test ends.
func running(t *testing.T, w *Watcher) <-chan Batch {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	batches, ended := make(chan Batch, 1000), make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.Run(ctx, func(b Batch) { batches <- b })
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return batches
}

// until collects changes until path is among them, and returns all of them as
// "write a.go", in order.
func until(t *testing.T, batches <-chan Batch, root, path string) (changes []string, count int) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case b := <-batches:
			count++
			for _, c := range b.Changes {
				below, _ := filepath.Rel(root, c.Path)
				changes = append(changes, map[Op]string{Write: "write ", Remove: "remove "}[c.Op]+below)
			}
			if slices.ContainsFunc(changes, func(s string) bool { return strings.HasSuffix(s, " "+path) }) {
				return changes, count
			}
		case <-timeout:
			t.Fatalf("no change of %s; saw %v", path, changes)
		}
	}
}

// TestOneSaveIsOneChange replays what editors do to save main.go.
func TestOneSaveIsOneChange(t *testing.T) {
	rename := func(from, to string) func(*testing.T, string) {
		return func(t *testing.T, root string) {
			t.Helper()
			must(t, os.Rename(filepath.Join(root, from), filepath.Join(root, to)))
		}
	}
	create := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, root string) { testkit.WriteFile(t, filepath.Join(root, name), text) }
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, root string) { must(t, os.Remove(filepath.Join(root, name))) }
	}
	editors := map[string][]func(*testing.T, string){
		"in place (nano, VS Code)": {create("main.go", "new")},
		"vim": {create("4913", ""), remove("4913"), create(".main.go.swp", "x"), rename("main.go", "main.go~"),
			create("main.go", "new"), remove("main.go~"), remove(".main.go.swp")},
		"JetBrains": {create("main.go___jb_tmp___", "new"), rename("main.go", "main.go___jb_old___"),
			rename("main.go___jb_tmp___", "main.go"), remove("main.go___jb_old___")},
		"Emacs": {create(".#main.go", ""), create("#main.go#", "new"), rename("main.go", "main.go~"),
			create("main.go", "new"), remove("#main.go#"), remove(".#main.go")},
		"GLib":             {create(".goutputstream-ABC123", "new"), rename(".goutputstream-ABC123", "main.go")},
		"write and rename": {create("main.go.tmp.1", "new"), rename("main.go.tmp.1", "main.go")},
	}
	for name, steps := range editors {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			testkit.WriteFile(t, filepath.Join(root, "main.go"), "old")
			batches := watched(t, Options{Roots: []string{root}})
			for _, step := range steps {
				step(t, root)
			}
			testkit.WriteFile(t, filepath.Join(root, "end"), "")
			changes, _ := until(t, batches, root, "end")
			changes = slices.DeleteFunc(changes, func(s string) bool { return s == "write end" })
			if !slices.Equal(changes, []string{"write main.go"}) {
				t.Errorf("changes: %v", changes)
			}
		})
	}
}

func TestASaveOfTheSameContentIsNone(t *testing.T) {
	root := t.TempDir()
	batches := watched(t, Options{Roots: []string{root}})
	testkit.WriteFile(t, filepath.Join(root, "a"), "1")
	until(t, batches, root, "a")
	testkit.WriteFile(t, filepath.Join(root, "a"), "1")
	testkit.WriteFile(t, filepath.Join(root, "b"), "1")
	changes, _ := until(t, batches, root, "b")
	if !slices.Equal(changes, []string{"write b"}) {
		t.Errorf("changes: %v", changes)
	}
}

// TestNewFoldersHaveNoGap makes deep trees at full speed: no file is missed.
func TestNewFoldersHaveNoGap(t *testing.T) {
	root := t.TempDir()
	batches := watched(t, Options{Roots: []string{root}})
	const n = 200
	for i := range n {
		testkit.WriteFile(t, filepath.Join(root, fmt.Sprint("d", i), "x", "y", "f"), "1")
	}
	testkit.WriteFile(t, filepath.Join(root, "end"), "")
	seen := map[string]bool{}
	timeout := time.After(20 * time.Second)
	for len(seen) < n {
		select {
		case b := <-batches:
			for _, c := range b.Changes {
				if filepath.Base(c.Path) == "f" {
					seen[c.Path] = true
				}
			}
		case <-timeout:
			t.Fatalf("%d of %d files were seen", len(seen), n)
		}
	}
	testkit.WriteFile(t, filepath.Join(root, "d7", "x", "y", "g"), "1")
	until(t, batches, root, "d7/x/y/g")
}

func TestMovedFoldersAreKnownByTheirNewName(t *testing.T) {
	root := t.TempDir()
	testkit.WriteFile(t, filepath.Join(root, "old", "sub", "f"), "1")
	batches := watched(t, Options{Roots: []string{root}})
	must(t, os.Rename(filepath.Join(root, "old"), filepath.Join(root, "new")))
	changes, _ := until(t, batches, root, "new/sub/f")
	if !slices.Contains(changes, "remove old") {
		t.Errorf("changes: %v", changes)
	}
	testkit.WriteFile(t, filepath.Join(root, "new", "sub", "f"), "2")
	changes, _ = until(t, batches, root, "new/sub/f")
	if !slices.Equal(changes, []string{"write new/sub/f"}) {
		t.Errorf("changes: %v", changes)
	}
}

func TestIgnoredFoldersAreNotWatchedButSecretsAre(t *testing.T) {
	root := t.TempDir()
	testkit.WriteFile(t, filepath.Join(root, gitIgnore), "node_modules/\n*.env\n")
	testkit.WriteFile(t, filepath.Join(root, "node_modules", "m", "index.js"), "")
	testkit.WriteFile(t, filepath.Join(root, "config", "other.env"), "")
	secret := filepath.Join(root, "config", "dev.env")
	batches := watched(t, Options{Roots: []string{root}, Always: []string{secret}})
	testkit.WriteFile(t, filepath.Join(root, "node_modules", "m", "index.js"), "1")
	testkit.WriteFile(t, filepath.Join(root, "config", "other.env"), "1")
	testkit.WriteFile(t, secret, "A=1")
	changes, _ := until(t, batches, root, "config/dev.env")
	if !slices.Equal(changes, []string{"write config/dev.env"}) {
		t.Errorf("changes: %v", changes)
	}
	testkit.WriteFile(t, filepath.Join(root, gitIgnore), "")
	until(t, batches, root, gitIgnore)
	testkit.WriteFile(t, filepath.Join(root, "config", "other.env"), "2")
	until(t, batches, root, "config/other.env")
}

func TestARootThatIsALinkKeepsItsName(t *testing.T) {
	real, dir := t.TempDir(), t.TempDir()
	link := filepath.Join(dir, "link")
	must(t, os.Symlink(real, link))
	batches := watched(t, Options{Roots: []string{link}})
	testkit.WriteFile(t, filepath.Join(real, "a"), "1")
	until(t, batches, link, "a")
}

// TestTheRealVim saves with vim itself, in each of the ways that it has.
func TestTheRealVim(t *testing.T) {
	vim, err := exec.LookPath("vim")
	if err != nil {
		t.Skip("vim is not installed")
	}
	for _, options := range []string{"backup backupcopy=no", "nobackup writebackup backupcopy=no", "nowritebackup backupcopy=yes"} {
		t.Run(options, func(t *testing.T) {
			root := t.TempDir()
			testkit.WriteFile(t, filepath.Join(root, "main.go"), "old\n")
			batches := watched(t, Options{Roots: []string{root}})
			cmd := exec.Command(vim, "-Nu", "NONE", "-es", "-c", "set swapfile "+options, "-c", "%s/old/new/", "-c", "wq", filepath.Join(root, "main.go"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("vim: %v\n%s", err, out)
			}
			testkit.WriteFile(t, filepath.Join(root, "end"), "")
			changes, _ := until(t, batches, root, "end")
			if changes = slices.DeleteFunc(changes, func(s string) bool { return s == "write end" }); !slices.Equal(changes, []string{"write main.go"}) {
				t.Errorf("changes: %v", changes)
			}
		})
	}
}

// TestARootThatGoesComesBack deletes the whole project and makes it again.
func TestARootThatGoesComesBack(t *testing.T) {
	root := filepath.Join(t.TempDir(), "project")
	testkit.WriteFile(t, filepath.Join(root, "d", "f"), "1")
	batches := watched(t, Options{Roots: []string{root}})
	must(t, os.RemoveAll(root))
	until(t, batches, root, ".")
	testkit.WriteFile(t, filepath.Join(root, "d", "f"), "2")
	for b := range batches {
		if b.Rescan {
			break
		}
	}
	testkit.WriteFile(t, filepath.Join(root, "d", "f"), "3")
	until(t, batches, root, "d/f")
}

// TestACheckoutIsOneBatch switches ten thousand files with git.
func TestACheckoutIsOneBatch(t *testing.T) {
	root := t.TempDir()
	git(t, root, "init", "-q", "-b", "main")
	const n = 10_000
	fill := func(text string) {
		for i := range n {
			testkit.WriteFile(t, filepath.Join(root, fmt.Sprint("d", i%100), fmt.Sprint("f", i)), text)
		}
		git(t, root, "add", "-A")
		git(t, root, "commit", "-qm", text)
	}
	fill("1")
	git(t, root, "checkout", "-q", "-b", "other")
	fill("2")
	batches := watched(t, Options{Roots: []string{root}})
	git(t, root, "checkout", "-q", "main")
	select {
	case b := <-batches:
		if len(b.Changes) != n {
			t.Errorf("the first batch has %d changes, rescan %v", len(b.Changes), b.Rescan)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("no batch")
	}
}

func TestRootsThatCannotBeWatched(t *testing.T) {
	if _, err := New(t.Context(), Options{Roots: []string{filepath.Join(t.TempDir(), "none")}}); err == nil {
		t.Error("a missing root is accepted")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestASingleFileOutsideOfEveryRoot(t *testing.T) {
	dir := t.TempDir()
	testkit.WriteFile(t, filepath.Join(dir, "go.work"), "1")
	batches := watched(t, Options{Always: []string{filepath.Join(dir, "go.work")}})
	testkit.WriteFile(t, filepath.Join(dir, "other"), "1")
	testkit.WriteFile(t, filepath.Join(dir, "go.work"), "2")
	if changes, _ := until(t, batches, dir, "go.work"); !slices.Equal(changes, []string{"write go.work"}) {
		t.Errorf("changes %v", changes)
	}
}
