package watch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestIgnoreAgreesWithGit asks git about random trees under random rules.
func TestIgnoreAgreesWithGit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "foo", "foo.go", "bar.log", "build", "x y", "foo~bar", "[z]"}
	patterns := []string{
		"a", "/a", "a/", "/a/", "*.log", "!*.log", "foo*", "!foo.go", "a/b", "/a/b", "**/b", "a/**", "a/**/b", "**/foo/**",
		"build/", "!build/", "*", "!a", "!*/", "f?o", "[ab]", "[!ab]", "\\[z\\]", "x\\ y", "x y  ", "# comment", "\\#a", "foo**go", "b/*", "/*", "!/foo",
	}
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	for round := range 60 {
		root := t.TempDir()
		git(t, root, "init", "-q")
		var paths []string
		for range 25 {
			parts := make([]string, 1+r.IntN(3))
			for i := range parts {
				parts[i] = pick(names)
			}
			file := filepath.Join(append([]string{root}, parts...)...)
			if os.MkdirAll(filepath.Dir(file), 0o755) == nil && os.WriteFile(file, nil, 0o644) == nil {
				paths = append(paths, file)
			}
		}
		rules := func(dir string) {
			var lines []string
			for range 1 + r.IntN(4) {
				lines = append(lines, pick(patterns))
			}
			_ = os.WriteFile(filepath.Join(dir, gitIgnore), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
		}
		rules(root)
		for _, name := range []string{"a", "foo", "a/b"} {
			if info, err := os.Stat(filepath.Join(root, name)); err == nil && info.IsDir() {
				rules(filepath.Join(root, name))
			}
		}
		g := newIgnore(root)
		if err := filepath.Walk(root, func(p string, info os.FileInfo, err error) error {
			if err == nil && info.IsDir() {
				g.reload(p)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, file := range paths {
			below, _ := filepath.Rel(root, file)
			want := exec.Command("git", "-C", root, "check-ignore", "-q", "--no-index", below).Run() == nil
			if got := g.matches(file, false); got != want {
				t.Errorf("round %d: %q: ignored %v, git says %v\n%s", round, below, got, want, allRules(root))
			}
		}
	}
}

func TestZrignoreOverrulesGitignore(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, gitIgnore), "*.gen.go\n")
	write(t, filepath.Join(root, zrIgnore), "!*.gen.go\ndocs/\n")
	g := newIgnore(root)
	g.reload(root)
	if g.matches(filepath.Join(root, "a.gen.go"), false) || !g.matches(filepath.Join(root, "docs/a.md"), false) {
		t.Error(".zrignore does not decide")
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	command := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.test"}, args...)...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func allRules(root string) string {
	var b strings.Builder
	_ = filepath.Walk(root, func(p string, _ os.FileInfo, err error) error {
		if filepath.Base(p) == gitIgnore {
			data, _ := os.ReadFile(p)
			fmt.Fprintf(&b, "%s:\n%s", p, data)
		}
		return err
	})
	return b.String()
}
