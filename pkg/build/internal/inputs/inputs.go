// Package inputs knows what a build is made from, and whether that changed,
// in milliseconds: it keeps the list of files with their stats and content
// hashes, looks at the stats, and reads only what was touched. Content
// decides, never a modification time. The costly question, which files there
// are, is asked again only when a folder's listing or what a file says about
// the list changed.
package inputs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Lister knows which files a build is made from. Paths are absolute.
type Lister interface {
	// List finds them. It may run programs.
	List(ctx context.Context) (List, error)
	// Settings are what the list depends on besides files, such as variables of
	// the environment: others make it stale. It is quick.
	Settings() string
	// Shape returns what a file says about the list itself, for example its
	// imports: the list stands as long as all shapes do.
	Shape(path string, content []byte) string
	// Relevant reports whether a name in a watched folder can matter to the
	// list. It is quick and reads nothing.
	Relevant(dir Dir, name string, isDir bool) bool
}

// List is an answer of a Lister.
type List struct {
	Files   []string // whose content makes the hash; may be absent
	Loose   []string // the same of files that nothing is made from: they lie beside what is made
	Shapes  []string // whose shape matters, though not their content
	Dirs    []Dir    // whose listing matters
	Tools   []string // programs: replaced ones make the list stale
	Further []string // what else makes the hash: flags, platform, versions
}

// Dir is a watched folder.
type Dir struct {
	Path string `json:"path"`
	Kind string `json:"kind"`           // of the lister's own; goes to Relevant
	Deep bool   `json:"deep,omitempty"` // what comes to be below it belongs to it as well
	// Loose says that what comes to be in it is loose.
	Loose bool `json:"loose,omitempty"`
}

// Folder is one that inputs lie in. Deep says that what comes to be below it may
// be one as well.
type Folder struct {
	Path string
	Deep bool
}

// File is one input.
type File struct {
	Path string      `json:"path"` // relative to the set's root, slashes
	Hash string      `json:"hash"` // sha256 of the content, hex; empty for an absent file
	Mode os.FileMode `json:"mode"`
}

// Set is what a build is made from. It is safe for concurrent use.
type Set struct {
	root   string
	cache  string // file that keeps the state between processes; empty for none
	lister Lister

	mu    sync.Mutex
	state state
	// folders are those that hold files or are watched, up to the root: whether
	// all that they hold is loose.
	folders map[string]bool
	sum     string
	made    string // the same without what is loose
	kept    bool   // the cache file holds the state
}

// Load returns the set as it was kept in the cache file, or an empty one. It
// looks at nothing: call Refresh. root is the folder that paths are relative
// to.
func Load(root, cache string, lister Lister) *Set {
	s := &Set{root: root, cache: cache, lister: lister}
	s.state, s.kept = readState(cache), true
	s.derive()
	return s
}

// Refresh brings the set up to date with the disk. What it learns of single files
// is not written to the cache file, since a save waits for it: see Keep.
func (s *Set) Refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, listStands, err := s.state.look(s.lister)
	if err != nil {
		return err
	}
	if !listStands {
		began := time.Now()
		list, err := s.lister.List(ctx)
		if err != nil {
			return err
		}
		if next, err = newState(list, s.lister, next, began); err != nil {
			return err
		}
	}
	if next.touched {
		next.touched = false
		s.state = next
		s.derive()
		s.kept = false
	}
	if listStands {
		return nil
	}
	return s.keep()
}

// Keep writes to the cache file what was learnt since it was written last.
// Without it, the next process reads the files that changed once more.
func (s *Set) Keep() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep()
}

func (s *Set) keep() error {
	if s.kept {
		return nil
	}
	if err := s.state.write(s.cache); err != nil {
		return err
	}
	s.kept = true
	return nil
}

// derive computes what follows from the state.
func (s *Set) derive() {
	s.sum, s.made = s.hash(true), ""
	s.folders = map[string]bool{}
	for path, f := range s.state.Files {
		if !f.Stat.Absent {
			s.hold(filepath.Dir(path), f.Loose)
		}
	}
	for _, d := range s.state.Dirs {
		s.hold(d.Path, d.Loose)
	}
}

// hash is that of all inputs, or of those that are not loose.
func (s *Set) hash(loose bool) string {
	h := sha256.New()
	// The number names the way that the hash is made: 1 is the first.
	fmt.Fprintf(h, "zr inputs 1\n%d\n", len(s.state.Further))
	for _, text := range s.state.Further {
		fmt.Fprintf(h, "%q\n", text)
	}
	for _, file := range s.list(loose) {
		fmt.Fprintf(h, "%q %s %v\n", file.Path, file.Hash, file.Mode&0o111 != 0)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hold notes a folder and those above it, up to the root.
func (s *Set) hold(dir string, loose bool) {
	for ; strings.HasPrefix(dir, s.root); dir = filepath.Dir(dir) {
		if only, ok := s.folders[dir]; ok && (loose || !only) {
			return
		}
		s.folders[dir] = loose
	}
}

// Sum returns the hash over all inputs: sha256, hex.
func (s *Set) Sum() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sum
}

// Hash returns the short form of Sum that processes report: 16 hex characters.
func (s *Set) Hash() string { return s.Sum()[:16] }

// Made returns the hash over the inputs that something is made from.
func (s *Set) Made() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == "" {
		s.made = s.hash(false)
	}
	return s.made
}

// Files returns the inputs, sorted by path.
func (s *Set) Files() []File {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list(true)
}

func (s *Set) list(loose bool) []File {
	files := make([]File, 0, len(s.state.Files))
	for path, f := range s.state.Files {
		if f.Loose && !loose {
			continue
		}
		files = append(files, File{Path: s.relative(path), Hash: f.Hash, Mode: os.FileMode(f.Stat.Mode & 0o777)})
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return files
}

func (s *Set) relative(path string) string {
	if rel, err := filepath.Rel(s.root, path); err == nil {
		return filepath.ToSlash(rel)
	}
	return path
}

// Folders returns the folders that the inputs lie in, or may come to lie in:
// absolute, sorted, each once.
func (s *Set) Folders() []Folder {
	s.mu.Lock()
	defer s.mu.Unlock()
	deep := map[string]bool{}
	for _, of := range []map[string]known{s.state.Files, s.state.Shapes} {
		for path := range of {
			deep[filepath.Dir(path)] = false
		}
	}
	for _, d := range s.state.Dirs {
		deep[d.Path] = deep[d.Path] || d.Deep
	}
	var folders []Folder
	for _, path := range slices.Sorted(maps.Keys(deep)) {
		folders = append(folders, Folder{path, deep[path]})
	}
	return folders
}

// Contains reports whether a change of the path, which may be new, deleted or
// relative to the root, can change the build. A folder counts with all below:
// the kernel says no more of one that is moved away.
func (s *Set) Contains(path string) bool {
	is, _ := s.find(path)
	return is
}

// Loose reports whether Contains does, and all that changes by it lies beside what
// is made.
func (s *Set) Loose(path string) bool {
	is, loose := s.find(path)
	return is && loose
}

func (s *Set) find(path string) (is, loose bool) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.root, path)
	}
	path = filepath.Clean(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.state.Shapes[path]; ok {
		return true, false
	}
	if f, ok := s.state.Files[path]; ok {
		return true, f.Loose
	}
	if only, ok := s.folders[path]; ok {
		return true, only
	}
	for _, d := range s.state.Dirs {
		if is && d.Loose {
			continue
		}
		if below, ok := strings.CutPrefix(path, d.Path+string(filepath.Separator)); ok && s.relevant(d.Dir, below) {
			if !d.Loose {
				return true, false
			}
			is = true
		}
	}
	return is, is
}

// relevant asks the lister for each step from the folder down to the path.
func (s *Set) relevant(dir Dir, below string) bool {
	steps := strings.Split(below, string(filepath.Separator))
	if len(steps) > 1 && !dir.Deep {
		return false
	}
	for i, step := range steps {
		path := filepath.Join(dir.Path, step)
		isDir := i < len(steps)-1
		if !isDir {
			info, err := os.Stat(path)
			isDir = err == nil && info.IsDir()
		}
		if !s.lister.Relevant(dir, step, isDir) {
			return false
		}
		dir.Path = path
	}
	return true
}
