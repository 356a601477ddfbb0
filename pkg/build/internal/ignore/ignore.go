// Package ignore tells which files of a folder its ignore files leave out.
package ignore

import (
	"path"
	"path/filepath"
	"slices"
	"sync"

	"zr/pkg/bounded"
	"zr/pkg/gitignore"
)

// Tree applies the ignore files of a folder, of those above it up to the top of
// git's work tree, and of those below it, as git does: a nearer file and a later
// line win, and the rules of the work tree that are not committed come last. Of
// several names, every file of a later one overrules all of the earlier ones.
// It is safe for concurrent use.
type Tree struct {
	root    string   // outside of a work tree no ignore file above it counts
	names   []string // of the ignore files
	above   []above  // nearest first
	exclude string   // file of the rules that are not committed; empty outside of a work tree

	mu    sync.Mutex
	rules map[string][]gitignore.Rule // by file
}

// above is a folder above the root.
type above struct {
	dir   string
	below string // where the root is in it, with slashes
}

// NewTree returns the rules of files with the names that count in root.
func NewTree(root string, names ...string) *Tree {
	t := &Tree{root: filepath.Clean(root), names: names, rules: map[string][]gitignore.Rule{}}
	real, err := filepath.EvalSymlinks(t.root)
	if err != nil {
		return t
	}
	top, gitDir, ok := gitignore.WorkTree(real)
	if !ok {
		return t
	}
	t.exclude = gitignore.ExcludeFile(gitDir)
	for dir := real; dir != top; {
		dir = filepath.Dir(dir)
		below, err := filepath.Rel(dir, real)
		if err != nil {
			return t
		}
		t.above = append(t.above, above{dir, filepath.ToSlash(below)})
	}
	return t
}

// Files returns the ignore files that count in a folder below the root, which
// may be absent.
func (t *Tree) Files(dir string) (files []string) {
	in := func(dir string) {
		for _, name := range t.names {
			files = append(files, filepath.Join(dir, name))
		}
	}
	for ; ; dir = filepath.Dir(dir) {
		in(dir)
		if dir == t.root || dir == filepath.Dir(dir) {
			break
		}
	}
	for _, a := range t.above {
		in(a.dir)
	}
	if t.exclude != "" {
		files = append(files, t.exclude)
	}
	return files
}

// IsFile reports whether a path is that of an ignore file.
func (t *Tree) IsFile(path string) bool {
	return path == t.exclude || slices.Contains(t.names, filepath.Base(path))
}

// Forget reads the ignore files again when they are needed next.
func (t *Tree) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rules = map[string][]gitignore.Rule{}
}

// Excludes reports whether a file or folder is left out. It assumes that the
// folders above it are not: who walks a tree has asked about them before.
func (t *Tree) Excludes(file string, isDir bool) bool {
	inRoot, err := filepath.Rel(t.root, file)
	if err != nil {
		return false
	}
	inRoot = filepath.ToSlash(inRoot)
	for _, name := range slices.Backward(t.names) {
		for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
			rel, err := filepath.Rel(dir, file)
			if err != nil {
				return false
			}
			if excluded, decided := decide(t.of(filepath.Join(dir, name)), filepath.ToSlash(rel), isDir); decided {
				return excluded
			}
			if dir == t.root || dir == filepath.Dir(dir) {
				break
			}
		}
		for _, a := range t.above {
			if excluded, decided := decide(t.of(filepath.Join(a.dir, name)), path.Join(a.below, inRoot), isDir); decided {
				return excluded
			}
		}
	}
	if t.exclude == "" {
		return false
	}
	if n := len(t.above); n > 0 {
		inRoot = path.Join(t.above[n-1].below, inRoot)
	}
	excluded, _ := decide(t.of(t.exclude), inRoot, isDir)
	return excluded
}

func (t *Tree) of(file string) []gitignore.Rule {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.rules[file]
	if !ok {
		if content, err := bounded.ReadFile(file, bounded.Text); err == nil {
			r = gitignore.Parse(content)
		}
		t.rules[file] = r
	}
	return r
}

// decide asks the last rule that matches.
func decide(rules []gitignore.Rule, rel string, isDir bool) (excluded, decided bool) {
	for i := len(rules) - 1; i >= 0; i-- {
		if rules[i].Matches(rel, path.Base(rel), isDir) {
			return !rules[i].Negated, true
		}
	}
	return false, false
}
