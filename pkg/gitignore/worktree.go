package gitignore

import (
	"os"
	"path/filepath"
	"strings"

	"zr/pkg/bounded"
)

// WorkTree returns the top of git's work tree that a folder lies in, and the
// folder of that tree's own state. ok is false outside of one. Ignore files
// count from the top down.
func WorkTree(dir string) (top, gitDir string, ok bool) {
	for top = dir; ; top = filepath.Dir(top) {
		if gitDir, ok = findGitDir(top); ok {
			return top, gitDir, true
		}
		if top == filepath.Dir(top) {
			return "", "", false
		}
	}
}

// findGitDir returns the folder of a work tree's own state. In a submodule
// and in a linked work tree, .git is a file that names it.
func findGitDir(top string) (string, bool) {
	path := filepath.Join(top, ".git")
	info, err := os.Stat(path)
	if err != nil {
		return "", false
	}
	if info.IsDir() {
		return path, true
	}
	target, ok := strings.CutPrefix(word(path), "gitdir: ")
	if !ok {
		return "", false
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(top, target)
	}
	return target, true
}

// ExcludeFile is where a work tree's own rules stand that are not committed.
// Every ignore file overrules them. It need not be there.
func ExcludeFile(gitDir string) string {
	common := gitDir // what a linked work tree shares with its main one
	if shared := word(filepath.Join(gitDir, "commondir")); filepath.IsAbs(shared) {
		common = shared
	} else if shared != "" {
		common = filepath.Join(gitDir, shared)
	}
	return filepath.Join(common, "info", "exclude")
}

// Ignored says whether git ignores a path, which need not be there, in any clone:
// by the ignore files of the work tree that it lies in. ok is false outside of one.
func Ignored(path string) (ignored, ok bool) {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return false, false
	}
	top, _, ok := WorkTree(dir)
	if !ok {
		return false, false
	}
	below, err := filepath.Rel(top, filepath.Join(dir, filepath.Base(path)))
	if err != nil {
		return false, false
	}
	names := strings.Split(filepath.ToSlash(below), "/")
	files := make([][]Rule, len(names)) // of each folder on the way
	for i := range names {
		data, err := bounded.ReadFile(filepath.Join(top, filepath.Join(names[:i]...), ".gitignore"), bounded.Text)
		if err == nil {
			files[i] = Parse(data)
		}
		if excluded(files[:i+1], names[:i+1], i < len(names)-1) {
			return true, true // and so is all that is in it
		}
	}
	return false, true
}

// excluded asks the last rule of the nearest file that matches.
func excluded(files [][]Rule, names []string, isDir bool) bool {
	for at := len(files) - 1; at >= 0; at-- {
		for i := len(files[at]) - 1; i >= 0; i-- {
			if r := &files[at][i]; r.Matches(strings.Join(names[at:], "/"), names[len(names)-1], isDir) {
				return !r.Negated
			}
		}
	}
	return false
}

func word(path string) string {
	b, err := bounded.ReadFile(path, bounded.Text)
	if err != nil {
		return "" // not there, or nothing that can be read
	}
	return strings.TrimSpace(string(b))
}
