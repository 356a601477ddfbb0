package watch

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// The ignore files that are honoured, with the syntax of gitignore(5). In one
// folder the second overrules the first.
const (
	gitIgnore = ".gitignore"
	zrIgnore  = ".zrignore"
)

// ignore decides which paths of one root are ignored. It is safe for
// concurrent use.
type ignore struct {
	top    string // the work tree's top, where that is above the root; otherwise the root
	gitDir string // "" outside a work tree

	exclude []rule // .git/info/exclude, which every ignore file overrules

	mu    sync.RWMutex
	rules map[string][]rule // folder → the rules of its ignore files, in order
}

// rule is one line of an ignore file.
type rule struct {
	segments []string // of the pattern, split at slashes; "**" matches any number
	negated  bool
	dirOnly  bool
}

func newIgnore(root string) *ignore {
	g := &ignore{top: root, rules: map[string][]rule{}}
	for dir := root; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			g.top = dir
			if info.IsDir() {
				g.gitDir = filepath.Join(dir, ".git")
			}
			break
		}
		if dir == filepath.Dir(dir) {
			return g
		}
	}
	for dir := root; dir != g.top; {
		dir = filepath.Dir(dir)
		g.reload(dir)
	}
	if g.gitDir != "" {
		g.exclude = parseRules(readFile(filepath.Join(g.gitDir, "info", "exclude")))
	}
	return g
}

// load reads the ignore files among the entries of a folder.
func (g *ignore) load(dir string, entries []fs.DirEntry) {
	for _, e := range entries {
		if e.Name() == gitIgnore || e.Name() == zrIgnore {
			g.reload(dir)
			return
		}
	}
}

// reload reads the ignore files of a folder anew.
func (g *ignore) reload(dir string) {
	rules := append(parseRules(readFile(filepath.Join(dir, gitIgnore))), parseRules(readFile(filepath.Join(dir, zrIgnore)))...)
	g.mu.Lock()
	defer g.mu.Unlock()
	if rules == nil {
		delete(g.rules, dir)
		return
	}
	g.rules[dir] = rules
}

// matches says whether the absolute path is ignored: it, or a folder above it.
func (g *ignore) matches(file string, isDir bool) bool {
	below, ok := strings.CutPrefix(file, g.top+"/")
	if !ok {
		return false
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	segments := strings.Split(below, "/")
	for i, name := range segments {
		if name == ".git" {
			return true
		}
		if g.excludes(segments[:i+1], isDir || i < len(segments)-1) {
			return true
		}
	}
	return false
}

// excludes applies the rules of every folder above the path: the last that
// matches decides, the deepest folder's first.
func (g *ignore) excludes(segments []string, isDir bool) bool {
	for depth := len(segments) - 1; depth >= 0; depth-- {
		dir := path.Join(append([]string{g.top}, segments[:depth]...)...)
		if excluded, decided := decide(g.rules[dir], segments[depth:], isDir); decided {
			return excluded
		}
	}
	excluded, _ := decide(g.exclude, segments, isDir)
	return excluded
}

func decide(rules []rule, segments []string, isDir bool) (excluded, decided bool) {
	for i := len(rules) - 1; i >= 0; i-- {
		if r := rules[i]; (isDir || !r.dirOnly) && matchSegments(r.segments, segments) {
			return !r.negated, true
		}
	}
	return false, false
}

func readFile(name string) []byte {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil // not there, or not ours to read: it ignores nothing
	}
	return bytes.TrimPrefix(data, []byte("\ufeff"))
}

func parseRules(data []byte) []rule {
	var rules []rule
	for line := range strings.Lines(string(data)) {
		line = trimSpace(strings.TrimRight(line, "\r\n"))
		if line == "" || line[0] == '#' {
			continue
		}
		var r rule
		if line[0] == '!' {
			r.negated, line = true, line[1:]
		}
		if strings.HasSuffix(line, "/") {
			r.dirOnly, line = true, strings.TrimSuffix(line, "/")
		}
		anchored := strings.Contains(line, "/")
		line = strings.TrimPrefix(line, "/")
		if line == "" {
			continue
		}
		if !anchored {
			r.segments = []string{"**"}
		}
		for _, s := range strings.Split(line, "/") {
			if s != "**" && strings.Contains(s, "**") {
				s = strings.ReplaceAll(s, "**", "*")
			}
			r.segments = append(r.segments, strings.ReplaceAll(s, "[!", "[^"))
		}
		rules = append(rules, r)
	}
	return rules
}

// trimSpace drops trailing blanks that no backslash keeps.
func trimSpace(line string) string {
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = line[:len(line)-1]
	}
	return line
}

// matchSegments matches a path against a pattern, both split at slashes.
func matchSegments(pattern, segments []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			if len(pattern) == 1 {
				return len(segments) > 0 // "a/**" is what is in a, not a itself
			}
			for i := range segments {
				if matchSegments(pattern[1:], segments[i:]) {
					return true
				}
			}
			return false
		}
		if len(segments) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], segments[0]); err != nil || !ok {
			return false
		}
		pattern, segments = pattern[1:], segments[1:]
	}
	return len(segments) == 0
}
