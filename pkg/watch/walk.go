package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// add watches the real path dir and every folder below it that is not ignored.
// A folder is watched before it is read, so that a file made meanwhile is seen
// by one or by the other. It tells found, one call at a time, the files of
// folders that were not watched before.
func (t *tree) add(r root, dir string, found func(file string)) error {
	return t.walk(r, dir, nil, found)
}

// walk is add, after the ignore files have changed: it tells found also the
// files of watched folders that were hidden before.
func (t *tree) walk(r root, dir string, before *ignore, found func(file string)) error {
	w := walker{tree: t, root: r, before: before, found: found, slots: make(chan struct{}, 4*runtime.GOMAXPROCS(0))}
	w.wg.Add(1)
	w.dir(dir)
	w.wg.Wait()
	return w.err
}

type walker struct {
	tree   *tree
	root   root
	before *ignore // nil: the same rules as now
	found  func(string)
	slots  chan struct{} // folders read at the same time
	wg     sync.WaitGroup

	mu  sync.Mutex
	err error
}

func (w *walker) dir(path string) {
	defer w.wg.Done()
	fresh, err := w.tree.watchDir(path)
	if err != nil {
		w.fail(path, err)
		return
	}
	entries, err := readDir(path)
	if err != nil {
		w.tree.notDir(path, errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR))
		w.fail(path, err)
		return
	}
	w.root.ignore.load(path, entries)
	layers := w.root.ignore.layers(path)
	var before []layer
	if w.before != nil {
		before = w.before.layers(path)
	}
	for _, e := range entries {
		child := path + string(filepath.Separator) + e.Name()
		if !w.tree.visible(layers, child, e.IsDir()) {
			continue
		}
		if !e.IsDir() {
			if fresh || w.before != nil && excluded(before, child, false) {
				w.mu.Lock()
				w.found(child)
				w.mu.Unlock()
			}
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
}

// readDir is os.ReadDir without the sorting, and without waiting for a pipe that
// has come in the place of a folder.
func readDir(path string) ([]fs.DirEntry, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}

// fail keeps the first error. A folder that is gone again, that has become
// something else, or that may not be read, is no error of the watch.
func (w *walker) fail(path string, err error) {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = fmt.Errorf("watching %q: %w", path, err)
	}
}
