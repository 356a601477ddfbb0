// Package ignore tells which files of a folder its ignore files leave out.
package ignore

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"

	"zr/pkg/gitignore"
)

// Tree applies the ignore files of a folder, of those above it up to a root,
// and of those below it, as git does: a nearer file and a later line win. Of
// several names, every file of a later one overrules all of the earlier ones.
// It is safe for concurrent use.
type Tree struct {
	root  string   // no ignore file above it counts
	names []string // of the ignore files

	mu    sync.Mutex
	rules map[string][]gitignore.Rule // by file
}

// NewTree returns the rules of files with the names, from root down.
func NewTree(root string, names ...string) *Tree {
	return &Tree{root: filepath.Clean(root), names: names, rules: map[string][]gitignore.Rule{}}
}

// Root returns the folder above which no ignore file counts.
func (t *Tree) Root() string { return t.root }

// Forget reads the ignore files again when they are needed next.
func (t *Tree) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rules = map[string][]gitignore.Rule{}
}

// Excludes reports whether a file or folder is left out. It assumes that the
// folders above it are not: who walks a tree has asked about them before.
func (t *Tree) Excludes(file string, isDir bool) bool {
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
	}
	return false
}

func (t *Tree) of(file string) []gitignore.Rule {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.rules[file]
	if !ok {
		if content, err := os.ReadFile(file); err == nil {
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
