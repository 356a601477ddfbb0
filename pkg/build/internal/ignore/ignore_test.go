package ignore

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/testkit"
)

// TestAgreesWithGit asks git about the same files.
func TestAgreesWithGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is not installed")
	}
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		testkit.WriteFile(t, filepath.Join(root, name), content)
	}
	write(".gitignore", "# comment\n*.log\n!keep.log\n/only-here\nbuild/\ndocs/*.txt\n**/tmp\n\\#odd\ntrailing   \na/**/z\n[ab].c\n")
	write("web/.gitignore", "*.tsbuildinfo\n!special.log\n/.next/\n")
	files := []string{
		"x.log", "keep.log", "sub/x.log", "sub/keep.log", "only-here", "sub/only-here", "docs/a.txt", "docs/sub/a.txt",
		"tmp", "sub/tmp2", "#odd", "trailing", "a/b/c/z", "a/z", "a.c", "c.c", "web/t.tsbuildinfo", "web/special.log", "t.tsbuildinfo", "web/sub/t.tsbuildinfo",
	}
	for _, f := range files {
		write(f, "x")
	}
	dirs := []string{"build", "sub/build", "web/.next", "web/sub/.next"}
	for _, d := range dirs {
		write(d+"/file", "x")
	}
	write("nested/project/.gitignore", "!*.tmp\n/own\n")
	write("nested/.gitignore", ".env.local\n/project/anchored\n*.tmp\n")
	nested := []string{"web/.env.local", "anchored", "web/anchored", "x.tmp", "own", "x.log", "mine", "sub/mine2", "web/x"}
	for _, f := range nested {
		write("nested/project/"+f, "x")
	}
	if out, err := exec.Command("git", "-C", root, "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tree := NewTree(root, ".gitignore")
	for i, name := range append(files, dirs...) {
		cmd := exec.Command("git", "-C", root, "check-ignore", "-q", name)
		want := cmd.Run() == nil
		if got := tree.Excludes(filepath.Join(root, name), i >= len(files)); got != want {
			t.Errorf("%s: excluded %v, git says %v", name, got, want)
		}
	}
	// The project is a folder of the work tree, entered through a symlink.
	write(".git/info/exclude", "mine\n/nested/project/sub/mine2\n!*.log\n")
	project := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(root, "nested", "project"), project); err != nil {
		t.Fatal(err)
	}
	tree = NewTree(project, ".gitignore")
	for _, name := range nested {
		want := exec.Command("git", "-C", root, "check-ignore", "-q", "nested/project/"+name).Run() == nil
		if got := tree.Excludes(filepath.Join(project, name), false); got != want {
			t.Errorf("nested/project/%s: excluded %v, git says %v", name, got, want)
		}
	}
}

func TestLaterNameWins(t *testing.T) {
	root := t.TempDir()
	os.WriteFile(filepath.Join(root, ".gitignore"), []byte("*.gen\n"), 0o644)
	os.WriteFile(filepath.Join(root, ".zrignore"), []byte("!*.gen\ne2e/\n"), 0o644)
	testkit.WriteFile(t, filepath.Join(root, "sub", ".gitignore"), "*.gen\n") // nearer, and overruled all the same
	tree := NewTree(root, ".gitignore", ".zrignore")
	for name, want := range map[string]bool{"a.gen": false, "a.go": false, "sub/a.gen": false} {
		if got := tree.Excludes(filepath.Join(root, name), false); got != want {
			t.Errorf("%s: excluded %v, want %v", name, got, want)
		}
	}
	if !tree.Excludes(filepath.Join(root, "e2e"), true) {
		t.Error("e2e/ is not excluded")
	}
	os.WriteFile(filepath.Join(root, ".zrignore"), []byte(strings.Repeat("#\n", 3)), 0o644)
	tree.Forget()
	if tree.Excludes(filepath.Join(root, "e2e"), true) {
		t.Error("e2e/ is excluded by a file that no longer says so")
	}
}
