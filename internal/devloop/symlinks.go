package devloop

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// symlinks are those among the inputs of a service. The watcher follows
// none, so a save of what one leads to is one of the symlink. It is safe for
// concurrent use.
type symlinks struct {
	known atomic.Pointer[[]symlink] // as they were found last; nil before that
}

// symlink is one of them.
type symlink struct {
	path   string
	target string // what it leads to, as the watcher names it
	folder bool
}

// of returns those in the project's folder root that the inputs lie behind.
func (l *symlinks) of(inputs Inputs, root string) []symlink {
	if known := l.known.Load(); known != nil {
		return *known
	}
	return l.find(inputs, root)
}

// find looks at each input in root, and at each folder on the way to one.
func (l *symlinks) find(inputs Inputs, root string) []symlink {
	var found []symlink
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

// follow finds out where a symlink leads. The watcher names what is in the project
// by the project's own name, though that may lead elsewhere too.
func follow(root, path string) (symlink, bool) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return symlink{}, false
	}
	info, err := os.Stat(target)
	if err != nil {
		return symlink{}, false
	}
	if real, err := filepath.EvalSymlinks(root); err == nil && below(target, real) {
		target = root + strings.TrimPrefix(target, real)
	}
	return symlink{path, target, info.IsDir()}, true
}

// called returns the path and what it is called by symlinks.
func called(path string, by []symlink) []string {
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

// WithTargets returns paths, and what symlinks on the way to them lead to, as the watcher
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

func (s *Sources) symlinks() []symlink { return s.known.of(s.Inputs, s.Root) }

// names returns the path and what it is called by symlinks.
func (s *Sources) names(path string) []string { return called(path, s.symlinks()) }

// isSymlink reports whether a path is a symlink now, or was one.
func (s *Sources) isSymlink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0 ||
		slices.ContainsFunc(s.symlinks(), func(l symlink) bool { return below(l.path, path) })
}

func (p *Program) symlinks() []symlink { return p.known.of(p.Inputs, p.Root) }

// names returns what a path is called among the inputs: itself, and by symlinks.
func (p *Program) names(path string) []string {
	return slices.DeleteFunc(called(path, p.symlinks()), func(name string) bool { return !p.Inputs.Contains(name) })
}
