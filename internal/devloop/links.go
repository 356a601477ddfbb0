package devloop

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// link is a symbolic link among the sources of a service. A save of what it
// leads to is one of the link.
type link struct {
	path   string // below the service's folder
	target string // what it leads to, as the watcher names it
	folder bool
}

// links returns those that the service's inputs lie behind.
func (s *Sources) links() []link {
	if known := s.known.Load(); known != nil {
		return *known
	}
	return s.findLinks()
}

// findLinks looks at each input, and at each folder on the way to one.
func (s *Sources) findLinks() []link {
	var links []link
	seen := map[string]bool{s.Dir: true}
	for _, f := range s.Inputs.Files() {
		for path := filepath.Join(s.Root, f.Path); below(path, s.Dir) && !seen[path]; path = filepath.Dir(path) {
			seen[path] = true
			if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
				continue
			}
			if l, ok := s.follow(path); ok {
				links = append(links, l)
			}
		}
	}
	s.known.Store(&links)
	return links
}

// follow finds out where a link leads. The watcher names what is in the project
// by the project's own name, though that may lead elsewhere too.
func (s *Sources) follow(path string) (link, bool) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return link{}, false
	}
	info, err := os.Stat(target)
	if err != nil {
		return link{}, false
	}
	if root, err := filepath.EvalSymlinks(s.Root); err == nil && below(target, root) {
		target = s.Root + strings.TrimPrefix(target, root)
	}
	return link{path, target, info.IsDir()}, true
}

// names returns the path and what it is called by links.
func (s *Sources) names(path string) []string {
	names := []string{path}
	for _, l := range s.links() {
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

// isLink reports whether a path is a link now, or was one.
func (s *Sources) isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0 ||
		slices.ContainsFunc(s.links(), func(l link) bool { return below(l.path, path) })
}
