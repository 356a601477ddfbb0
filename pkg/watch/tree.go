package watch

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"zr/pkg/gitignore"
)

// tree knows which folders are watched. It is used by one goroutine, but for
// the parallel walk inside add and for visible, which reads nothing that
// changes.
type tree struct {
	roots  []root
	always map[string]bool // real paths of files that no ignore rule hides
	watch  func(string) error
	forget func(string) error

	included atomic.Pointer[included] // never nil

	mu   sync.Mutex
	dirs map[string]inode // the watched folders by their real paths; zero for one whose watch is gone

	// files are hashes of the paths of the files that the consumer knows of:
	// those that were there at the start or were reported. A path that went
	// along with its folder may stay; its absence is then told twice.
	seed  maphash.Seed
	files map[uint64]struct{}
}

// inode is what a folder is whatever its name, and what the kernel watches.
type inode struct{ device, number uint64 }

func inodeOf(path string) (inode, error) {
	var st syscall.Stat_t
	if err := syscall.Lstat(path, &st); err != nil {
		return inode{}, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	return inode{uint64(st.Dev), st.Ino}, nil
}

// root is a watched folder: as it was named, and where that is.
type root struct {
	path, real string
	ignore     *ignore
}

func newTree(roots, always []string, watch, forget func(string) error) (*tree, error) {
	t := &tree{
		watch: watch, forget: forget, dirs: map[string]inode{}, always: map[string]bool{},
		seed: maphash.MakeSeed(), files: map[uint64]struct{}{},
	}
	t.included.Store(&included{})
	for _, path := range roots {
		real, err := resolve(path)
		if err != nil {
			return nil, fmt.Errorf("watching %q: %w", path, err)
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, fmt.Errorf("watching %q: %w", path, err)
		}
		t.roots = append(t.roots, root{path: path, real: real, ignore: newIgnore(real)})
	}
	for _, path := range always {
		dir, err := resolve(filepath.Dir(path))
		if err != nil {
			return nil, fmt.Errorf("watching %q: %w", path, err)
		}
		t.always[filepath.Join(dir, filepath.Base(path))] = true
	}
	return t, nil
}

// resolve returns the real path of a folder.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is not a folder", path)
	}
	return real, nil
}

// rootOf returns the root that a real path lies in.
func (t *tree) rootOf(real string) (root, bool) {
	for _, r := range t.roots {
		if within(real, r.real) {
			return r, true
		}
	}
	return root{}, false
}

func within(path, dir string) bool {
	rest, ok := strings.CutPrefix(path, dir)
	return ok && (rest == "" || rest[0] == filepath.Separator)
}

// named returns a real path as it reads below the root's own name.
func (t *tree) named(real string) string {
	if r, ok := t.rootOf(real); ok {
		return r.path + strings.TrimPrefix(real, r.real)
	}
	return real
}

// hidden says that changes of a real path are nobody's business.
func (t *tree) hidden(real string, isDir bool) bool {
	r, ok := t.rootOf(real)
	switch dir := filepath.Dir(real); {
	case t.always[real]:
		return false
	case !ok:
		return true
	case real == r.real:
		return false
	case t.isDir(dir) && !t.onlyAlways(dir, r) && !t.isHidden(dir):
		return !t.visible(r.ignore.layers(dir), real, isDir)
	}
	return gitignore.IsEditorTemp(filepath.Base(real)) || r.ignore.matches(real, isDir) && !t.wants(real, isDir)
}

// onlyAlways says that a folder may be watched for the sake of one file, and
// be ignored otherwise.
func (t *tree) onlyAlways(dir string, r root) bool {
	for path := range t.always {
		if within(path, dir) {
			return r.ignore.matches(dir, true)
		}
	}
	return false
}

// visible judges an entry of a folder that is itself visible, or included. It is
// safe for concurrent use.
func (t *tree) visible(layers []layer, real string, isDir bool) bool {
	switch {
	case t.always[real]:
		return true
	case gitignore.IsEditorTemp(filepath.Base(real)):
		return false
	case !t.isHidden(filepath.Dir(real)) && !excluded(layers, real, isDir):
		return true
	}
	return t.wants(real, isDir)
}

// isDir says whether a path is, or was when it was last looked at, a watched
// folder.
func (t *tree) isDir(real string) bool {
	_, ok := t.dirs[real]
	return ok
}

// knows says whether the consumer takes a file to be there.
func (t *tree) knows(file string) bool {
	_, ok := t.files[maphash.String(t.seed, file)]
	return ok
}

func (t *tree) know(file string)   { t.files[maphash.String(t.seed, file)] = struct{}{} }
func (t *tree) unknow(file string) { delete(t.files, maphash.String(t.seed, file)) }

// watchDir asks for the events of a folder, also where that was done before:
// another folder may have taken its name.
func (t *tree) watchDir(real string) (fresh bool, err error) {
	now, err := inodeOf(real)
	for watched := (inode{}); err == nil && watched != now; { // until no other took its name meanwhile
		if watched, err = now, t.watch(real); err == nil {
			now, err = inodeOf(real)
		}
	}
	if err != nil {
		return false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	fresh = t.dirs[real] == inode{}
	t.dirs[real] = now
	return fresh, nil
}

// notDir takes back a folder that could not be read. One that is gone stays
// known until its event comes, which says what went with it.
func (t *tree) notDir(real string, gone bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unwatch(real)
	if gone {
		t.dirs[real] = inode{}
	}
}

// addAlways watches the folders of the files that are always watched. One that
// is gone is watched when it comes back.
func (t *tree) addAlways() error {
	for path := range t.always {
		if err := t.watchAlways(filepath.Dir(path)); err != nil {
			return err
		}
		if _, err := os.Lstat(path); err == nil {
			t.know(path)
		}
	}
	return nil
}

func (t *tree) watchAlways(dir string) error {
	if _, err := t.watchDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("watching %q: %w", dir, err)
	}
	return nil
}

// enterAlways watches what leads from an ignored folder that appeared to the
// files that are always watched, and tells found those that are there.
func (t *tree) enterAlways(folder string, found func(string)) error {
	for path := range t.always {
		for dir := filepath.Dir(path); within(dir, folder); dir = filepath.Dir(dir) {
			if err := t.watchAlways(dir); err != nil {
				return err
			}
		}
		if _, err := os.Lstat(path); err == nil && within(path, folder) {
			found(path)
		}
	}
	return nil
}

// addGit watches git's own folder for the lock that it holds while it writes
// the tree.
func (t *tree) addGit() {
	for _, r := range t.roots {
		if r.ignore.gitDir != "" {
			_ = t.watch(r.ignore.gitDir) // without it, a slow checkout is several batches
		}
	}
}

// isGitLock says whether a real path is the file that git holds while it
// writes a tree.
func (t *tree) isGitLock(real string) bool {
	for _, r := range t.roots {
		if r.ignore.gitDir != "" && real == r.ignore.gitDir+"/index.lock" {
			return true
		}
	}
	return false
}

// drop forgets a folder that is gone, and those below it: they were deleted
// before it, or moved along with it, and the kernel goes on to report those
// under names that no longer hold. It returns the folders, sorted, that were met
// under their new names before the move was heard of. A folder has one watch,
// which goes with its old name, so they are to be watched anew.
func (t *tree) drop(real string) []string {
	if !t.isDir(real) {
		return nil
	}
	gone := map[inode]bool{}
	for dir, is := range t.dirs {
		if within(dir, real) {
			gone[is] = true
			t.unwatch(dir)
		}
	}
	delete(gone, inode{})
	var met []string
	for dir, is := range t.dirs {
		if gone[is] {
			met = append(met, dir)
			t.unwatch(dir)
			t.dirs[dir] = inode{} // it may have left that name too, which its event says
		}
	}
	slices.Sort(met)
	return met
}

func (t *tree) unwatch(dir string) {
	delete(t.dirs, dir)
	_ = t.forget(dir) // the kernel may have noticed first
}

// reload makes the ignore files of a folder count as they are now: it watches
// what they no longer hide, and forgets what they hide now. It tells found the
// files that come into sight.
func (t *tree) reload(r root, dir string, found func(string)) error {
	before := r.ignore.clone()
	r.ignore.reload(dir)
	for d := range t.dirs {
		if d != r.real && within(d, dir) && within(d, r.real) && r.ignore.matches(d, true) {
			t.unwatch(d)
		}
	}
	if err := errors.Join(t.addAlways(), t.hide(found)); err != nil {
		return err
	}
	return t.walk(r, dir, before, found)
}

// again watches everything anew: after lost events, folders may have come,
// gone and moved unseen.
func (t *tree) again() error {
	var errs []error
	for dir := range t.dirs {
		t.unwatch(dir)
	}
	for _, r := range t.roots {
		errs = append(errs, t.add(r, r.real, t.know))
	}
	t.addGit()
	return errors.Join(append(errs, t.addAlways(), t.hide(t.know))...)
}
