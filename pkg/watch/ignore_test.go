package watch

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/testkit"
)

// loaded returns the ignore of a root with all of its files read.
func loaded(t testing.TB, root string) *ignore {
	t.Helper()
	g := newIgnore(root)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			g.reload(p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// gitIgnores asks git which of these paths below root it ignores.
func gitIgnores(t testing.TB, root string, paths []string) map[string]bool {
	t.Helper()
	cmd := exec.Command("git", "check-ignore", "--no-index", "-z", "--stdin")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "HOME="+root, "XDG_CONFIG_HOME="+root, "GIT_CONFIG_NOSYSTEM=1")
	cmd.Stdin = strings.NewReader(strings.Join(paths, "\x00") + "\x00")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != 1) { // 1: none
		t.Fatalf("git check-ignore: %v\n%s", err, &stderr)
	}
	ignored := map[string]bool{}
	for path := range strings.SplitSeq(string(out), "\x00") {
		ignored[path] = true
	}
	return ignored
}

// TestIgnoreAgreesWithGit asks git about random trees under random rules.
func TestIgnoreAgreesWithGit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "foo", "foo.go", "bar.log", "build", "x y", "foo~bar", "[z]", "a-b", "Ab9", "#a", "!b", "end ", `back\slash`, "ünï"}
	whole := []string{
		"a", "/a", "a/", "/a/", "*.log", "!*.log", "foo*", "!foo.go", "a/b", "/a/b", "**/b", "a/**", "a/**/b", "**/foo/**", "/**", "**",
		"build/", "!build/", "*", "!a", "!*/", "f?o", "[ab]", "[!ab]", "[^a]*", `\[z\]`, `x\ y`, "x y  ", "# comment", `\#a`, `\!b`, `end\ `, "end ",
		"foo**go", "foo*/*", "b/*", "/*", "!/foo", "[a-", "a[", `a\`, "[[:alpha:]][[:alpha:]]*", "[[:nope:]]", "[]a]", "[a-c]-b", `[\]a]`, "*[0-9]", "", "/", "!", "//", "a//b", "***", "a/***/b",
		"*o*.g*", "*/*/*", "**/**/a", "a**/b", "\r", "ünï", "?nï", `back\\slash`, `back\slash`, "[!-z]*", "a/*/", "a**/b", "fo**/x y", "*a*b*", "\ta", "foo\t",
	}
	bits := []string{"a", "b", "*", "**", "/", "?", "[ab]", "[!a]", "foo", ".", "log", `\`, "!", " ", "-", "#", "~"}
	pattern := func() string {
		if r.IntN(2) == 0 {
			return whole[r.IntN(len(whole))]
		}
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteString(bits[r.IntN(len(bits))])
		}
		return b.String()
	}
	var agreed [2]int // on paths that are ignored, and that are not
	for round := range 60 {
		root := t.TempDir()
		git(t, root, "init", "-q")
		var paths []string
		for range 60 {
			parts := make([]string, 1+r.IntN(4))
			for i := range parts {
				parts[i] = names[r.IntN(len(names))]
			}
			file := filepath.Join(parts...)
			if os.MkdirAll(filepath.Join(root, filepath.Dir(file)), 0o755) == nil && os.WriteFile(filepath.Join(root, file), nil, 0o644) == nil {
				paths = append(paths, file)
			}
		}
		rules := func(file string) {
			var b strings.Builder
			for range 1 + r.IntN(5) {
				b.WriteString(pattern() + []string{"\n", "\n", "\n", "\r\n"}[r.IntN(4)])
			}
			b.WriteString(pattern() + []string{"", "\r"}[r.IntN(2)]) // the last line has no end
			_ = os.WriteFile(filepath.Join(root, file), []byte(b.String()), 0o644)
		}
		rules(gitIgnore)
		rules(".git/info/exclude")
		for _, name := range []string{"a", "foo", "a/b", "b/a/foo"} {
			if info, err := os.Stat(filepath.Join(root, name)); err == nil && info.IsDir() {
				rules(filepath.Join(name, gitIgnore))
			}
		}
		g := loaded(t, root)
		ignored := gitIgnores(t, root, paths)
		for _, file := range paths {
			got := g.matches(filepath.Join(root, file), false)
			switch {
			case got != ignored[file]:
				t.Errorf("round %d: %q: ignored %v, git says %v\n%s", round, file, got, ignored[file], allRules(root))
			case got:
				agreed[0]++
			default:
				agreed[1]++
			}
		}
		if t.Failed() {
			return
		}
	}
	if agreed[0] < 500 || agreed[1] < 500 {
		t.Errorf("the trees prove little: %d paths are ignored, %d are not", agreed[0], agreed[1])
	}
}

func TestIgnoreBelowTheTopOfAWorkTree(t *testing.T) {
	top := t.TempDir()
	git(t, top, "init", "-q")
	testkit.WriteFile(t, filepath.Join(top, gitIgnore), "/sub/root/here\n*.log\n/elsewhere\n")
	root := filepath.Join(top, "sub", "root")
	testkit.WriteFile(t, filepath.Join(root, "x"), "")
	g := loaded(t, root)
	for path, want := range map[string]bool{"here": true, "a/b.log": true, "elsewhere": false, "x": false} {
		if got := g.matches(filepath.Join(root, path), false); got != want {
			t.Errorf("%s: ignored %v", path, got)
		}
	}
}

func TestALinkedWorkTreeHasItsMainOnesExcludes(t *testing.T) {
	main, linked := filepath.Join(t.TempDir(), "main"), filepath.Join(t.TempDir(), "linked")
	testkit.WriteFile(t, filepath.Join(main, "a"), "")
	git(t, main, "init", "-q")
	git(t, main, "add", "-A")
	git(t, main, "commit", "-qm", "a")
	testkit.WriteFile(t, filepath.Join(main, ".git", "info", "exclude"), "*.log\n")
	git(t, main, "worktree", "add", "-q", linked)
	g := loaded(t, linked)
	if !g.matches(filepath.Join(linked, "x.log"), false) || g.matches(filepath.Join(linked, "a"), false) {
		t.Error("the excludes are not read")
	}
	if _, err := os.Stat(filepath.Join(g.gitDir, "HEAD")); err != nil || g.gitDir == filepath.Join(main, ".git") {
		t.Errorf("its own state is not in %s: %v", g.gitDir, err)
	}
}

func TestZrignoreOverrulesGitignore(t *testing.T) {
	root := t.TempDir()
	testkit.WriteFile(t, filepath.Join(root, gitIgnore), "*.gen.go\n")
	testkit.WriteFile(t, filepath.Join(root, "sub", gitIgnore), "local.yaml\n")
	testkit.WriteFile(t, filepath.Join(root, zrIgnore), "!*.gen.go\ndocs/\n!/sub/local.yaml\n!node_modules/\n!.git/\n")
	g := loaded(t, root)
	for path, want := range map[string]bool{
		"a.gen.go": false, "docs/a.md": true, "sub/local.yaml": false, "sub/sub/local.yaml": true, "node_modules/m/index.js": false, ".git/HEAD": true,
	} {
		if got := g.matches(filepath.Join(root, path), false); got != want {
			t.Errorf("%s: ignored %v", path, got)
		}
	}
}

func TestHopelessFoldersAreIgnoredWithoutAnyFile(t *testing.T) {
	root := t.TempDir()
	g := loaded(t, root)
	for path, want := range map[string]bool{"web/node_modules/m/index.js": true, "node_modules.go": false, ".git/index": true, "sub/.git/index": true, ".gitignore": false} {
		if got := g.matches(filepath.Join(root, path), false); got != want {
			t.Errorf("%s: ignored %v", path, got)
		}
	}
}

func git(t testing.TB, dir string, args ...string) {
	t.Helper()
	command := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "core.fsync=none", "-c", "core.looseCompression=0"}, args...)...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func allRules(root string) string {
	var b strings.Builder
	_ = filepath.WalkDir(root, func(p string, _ fs.DirEntry, err error) error {
		if filepath.Base(p) == gitIgnore || filepath.Base(p) == "exclude" {
			fmt.Fprintf(&b, "%s:\n%q\n", p, readFile(p))
		}
		return err
	})
	return b.String()
}
