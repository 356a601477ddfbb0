// Package ignore tells which files of a folder its ignore files leave out.
package ignore

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/moby/patternmatcher"
)

// Tree applies the ignore files of a folder, of those above it up to a root,
// and of those below it, as git does: a nearer file and a later line win. It
// is safe for concurrent use.
type Tree struct {
	root  string   // no ignore file above it counts
	names []string // of the ignore files, the later ones win

	mu    sync.Mutex
	rules map[string]rules // by folder
}

// rules are those of one folder, for paths relative to it.
type rules []rule

type rule struct {
	match   *patternmatcher.PatternMatcher
	negated bool
	dirOnly bool
}

// NewTree returns the rules of files with the names, from root down.
func NewTree(root string, names ...string) *Tree {
	return &Tree{root: filepath.Clean(root), names: names, rules: map[string]rules{}}
}

// Root returns the folder above which no ignore file counts.
func (t *Tree) Root() string { return t.root }

// Forget reads the ignore files again when they are needed next.
func (t *Tree) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rules = map[string]rules{}
}

// Excludes reports whether a file or folder is left out. It assumes that the
// folders above it are not: who walks a tree has asked about them before.
func (t *Tree) Excludes(file string, isDir bool) bool {
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return false
		}
		if excluded, decided := t.of(dir).decide(filepath.ToSlash(rel), isDir); decided {
			return excluded
		}
		if dir == t.root || dir == filepath.Dir(dir) {
			return false
		}
	}
}

func (t *Tree) of(dir string) rules {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.rules[dir]
	if !ok {
		for _, name := range t.names {
			if content, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
				r = append(r, parse(string(content))...)
			}
		}
		t.rules[dir] = r
	}
	return r
}

func (r rules) decide(rel string, isDir bool) (excluded, decided bool) {
	for i := len(r) - 1; i >= 0; i-- {
		if r[i].dirOnly && !isDir {
			continue
		}
		if matched, err := r[i].match.MatchesOrParentMatches(rel); err == nil && matched {
			return !r[i].negated, true
		}
	}
	return false, false
}

// parse reads the lines of a .gitignore. A line that makes no sense is skipped,
// as git does.
func parse(content string) (parsed rules) {
	for line := range strings.Lines(content) {
		line = strings.TrimRight(line, "\r\n")
		if trimmed := strings.TrimRight(line, " \t"); !strings.HasSuffix(trimmed, `\`) {
			line = trimmed
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var r rule
		line, r.negated = strings.CutPrefix(line, "!")
		line = strings.TrimPrefix(line, `\`)
		line, r.dirOnly = strings.CutSuffix(line, "/")
		// A slash at the start or within binds a pattern to its folder.
		if !strings.Contains(line, "/") {
			line = path.Join("**", line)
		}
		match, err := patternmatcher.New([]string{strings.TrimPrefix(line, "/")})
		if err != nil {
			continue
		}
		r.match = match
		parsed = append(parsed, r)
	}
	return parsed
}
