package devloop

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// links are the symbolic links among the inputs of a service. The watcher follows
// none, so a save of what one leads to is one of the link. It is safe for
// concurrent use.
type links struct {
	known atomic.Pointer[[]link] // as they were found last; nil before that
}

// link is one of them.
type link struct {
	path   string
	target string // what it leads to, as the watcher names it
	folder bool
}

// of returns those in the project's folder root that the inputs lie behind.
func (l *links) of(inputs Inputs, root string) []link {
	if known := l.known.Load(); known != nil {
		return *known
	}
	return l.find(inputs, root)
}

// find looks at each input in root, and at each folder on the way to one.
func (l *links) find(inputs Inputs, root string) []link {
	var found []link
	seen := map[string]bool{root: true}
	for _, f := range inputs.Files() {
		for path := filepath.Join(root, f.Path); below(path, root) && !seen[path]; path = filepath.Dir(path) {
			seen[path] = true
			if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
				continue
			}
			if leads, ok := follow(root, path); ok {
				found = append(found, leads)
			}
		}
	}
	l.known.Store(&found)
	return found
}

// follow finds out where a link leads. The watcher names what is in the project
// by the project's own name, though that may lead elsewhere too.
func follow(root, path string) (link, bool) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return link{}, false
	}
	info, err := os.Stat(target)
	if err != nil {
		return link{}, false
	}
	if real, err := filepath.EvalSymlinks(root); err == nil && below(target, real) {
		target = root + strings.TrimPrefix(target, real)
	}
	return link{path, target, info.IsDir()}, true
}

// called returns the path and what it is called by links.
func called(path string, by []link) []string {
	names := []string{path}
	for _, l := range by {
		name := l.path
		switch {
		case below(path, l.target):
			name += strings.TrimPrefix(path, l.target)
		case !below(l.target, path): // it went, with what is in it
			continue
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// WithTargets returns paths, and what links on the way to them lead to, as the watcher
// of the project at root names it. Paths are absolute.
func WithTargets(root string, paths []string) []string {
	all := slices.Clone(paths)
	for _, path := range paths {
		if l, ok := follow(root, path); ok && !slices.Contains(all, l.target) {
			all = append(all, l.target)
		}
	}
	return all
}

func (s *Sources) links() []link { return s.known.of(s.Inputs, s.Root) }

// names returns the path and what it is called by links.
func (s *Sources) names(path string) []string { return called(path, s.links()) }

// isLink reports whether a path is a link now, or was one.
func (s *Sources) isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0 ||
		slices.ContainsFunc(s.links(), func(l link) bool { return below(l.path, path) })
}

func (p *Program) links() []link { return p.known.of(p.Inputs, p.Root) }

// names returns what a path is called among the inputs: itself, and by links.
func (p *Program) names(path string) []string {
	return slices.DeleteFunc(called(path, p.links()), func(name string) bool { return !p.Inputs.Contains(name) })
}
