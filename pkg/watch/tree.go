package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// tree knows which folders are watched. It is used by one goroutine, but for
// the parallel walk inside add.
type tree struct {
	roots  []root
	always map[string]bool // real paths of files that no ignore rule hides
	watch  func(string) error
	forget func(string) error

	mu   sync.Mutex
	dirs map[string]bool // real paths of the watched folders
}

// root is a watched folder: as it was named, and where that is.
type root struct {
	path, real string
	ignore     *ignore
}

func newTree(roots, always []string, watch, forget func(string) error) (*tree, error) {
	t := &tree{watch: watch, forget: forget, dirs: map[string]bool{}, always: map[string]bool{}}
	for _, path := range roots {
		real, err := resolve(path)
		if err != nil {
			return nil, fmt.Errorf("watching %q: %w", path, err)
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
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

// rootOf returns the root that a real path lies in.
func (t *tree) rootOf(real string) (root, bool) {
	for _, r := range t.roots {
		if real == r.real || strings.HasPrefix(real, r.real+string(filepath.Separator)) {
			return r, true
		}
	}
	return root{}, false
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
	if t.always[real] {
		return false
	}
	if isEditorTemp(filepath.Base(real)) {
		return true
	}
	r, ok := t.rootOf(real)
	return !ok || r.ignore.matches(real, isDir)
}

// add watches dir (as named or real) and every folder below it that is not
// ignored, and returns the files found there. A folder is watched before it is
// read, so that a file made meanwhile is seen by one or by the other.
func (t *tree) add(r root, dir string) (files []string, err error) {
	if dir == r.path {
		dir = r.real
	}
	w := walker{tree: t, root: r, slots: make(chan struct{}, 4*runtime.GOMAXPROCS(0))}
	w.wg.Add(1)
	w.dir(dir)
	w.wg.Wait()
	return w.files, w.err
}

type walker struct {
	tree  *tree
	root  root
	slots chan struct{} // folders read at the same time
	wg    sync.WaitGroup

	mu    sync.Mutex
	files []string
	err   error
}

func (w *walker) dir(path string) {
	defer w.wg.Done()
	if err := w.tree.watchDir(path); err != nil {
		w.fail(err)
		return
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		w.fail(err)
		return
	}
	w.root.ignore.load(path, entries)
	var files []string
	for _, e := range entries {
		child := filepath.Join(path, e.Name())
		if w.tree.hidden(child, e.IsDir()) {
			continue
		}
		if !e.IsDir() {
			files = append(files, child)
			continue
		}
		w.wg.Add(1)
		select {
		case w.slots <- struct{}{}:
			go func() {
				defer func() { <-w.slots }()
				w.dir(child)
			}()
		default:
			w.dir(child)
		}
	}
	w.mu.Lock()
	w.files = append(w.files, files...)
	w.mu.Unlock()
}

// fail keeps the first error. A folder that is gone again, or that may not be
// read, is no error of the watch.
func (w *walker) fail(err error) {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

func (t *tree) watchDir(real string) error {
	if err := t.watch(real); err != nil {
		return err
	}
	t.mu.Lock()
	t.dirs[real] = true
	t.mu.Unlock()
	return nil
}

// addAlways watches the folders of the files that are always watched.
func (t *tree) addAlways() error {
	for path := range t.always {
		if dir := filepath.Dir(path); !t.dirs[dir] {
			if err := t.watchDir(dir); err != nil {
				return fmt.Errorf("watching %q: %w", dir, err)
			}
		}
	}
	return nil
}

// isDir says whether a path was a watched folder.
func (t *tree) isDir(real string) bool { return t.dirs[real] }

// drop forgets a watched folder that is gone. One that was moved takes those
// below it along, and the kernel goes on to report them under names that no
// longer hold; one that was deleted was empty by then.
func (t *tree) drop(real string, moved bool) {
	delete(t.dirs, real)
	_ = t.forget(real) // the kernel may have noticed first
	if !moved {
		return
	}
	below := real + string(filepath.Separator)
	for dir := range t.dirs {
		if strings.HasPrefix(dir, below) {
			delete(t.dirs, dir)
			_ = t.forget(dir)
		}
	}
}
