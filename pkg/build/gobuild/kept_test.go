package gobuild

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestKept: the program of an image is at hand as long as it is that of the sources,
// whatever lies beside it, and no longer.
func TestKept(t *testing.T) {
	p := newProject(t)
	p.beside()
	b, r := New(p.deps), p.request()
	r.Spec.Files = []string{"products.json"}
	out := filepath.Join(t.TempDir(), "api")
	kept := func() error {
		t.Helper()
		set, err := b.Inputs(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return b.kept(r, set, out)
	}
	if kept() == nil {
		t.Error("there is a program before the first build")
	}
	if _, err := b.Build(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := kept(); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(out).CombinedOutput(); err != nil || string(said) != "hello\n" {
		t.Errorf("the program says %q, %v", said, err)
	}
	p.write("cmd/api/products.json", "[1]")
	if err := kept(); err != nil {
		t.Errorf("after a save of a file beside it: %v", err)
	}
	p.write("greet/words/hello.txt", "bye")
	if kept() == nil {
		t.Error("it is taken for that of other sources")
	}
	p.write("greet/words/hello.txt", "hello")
	work, err := p.deps.WorkDir(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, keptName), []byte("written by another build"), 0o755); err != nil {
		t.Fatal(err)
	}
	if kept() == nil {
		t.Error("another program is taken for it")
	}
}
