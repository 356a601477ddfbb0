package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"zr/pkg/agentspec/wire"
)

// Commit puts the transaction into the folder: all of it, or on any error
// nothing. ErrMoved says that the result would not be the tree that c names.
// With keep, the files of the good version that are replaced stay available
// to Restore.
func (tx *Tx) Commit(c wire.Commit, keep bool) error {
	f := tx.folder
	defer tx.Close()
	if len(c.Sums) != len(tx.files) {
		return fmt.Errorf("committing %d files with %d sums", len(tx.files), len(c.Sums))
	}
	for i, s := range tx.files {
		if err := s.seal(c.Sums[i]); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	next, err := tx.outcome()
	if err != nil {
		return err
	}
	if sum := treeOf(next).Sum(); sum != c.Tree {
		return fmt.Errorf("%w: it would hold %s and not %s", ErrMoved, sum, c.Tree)
	}
	if len(next) != len(f.held) || len(tx.begin.Gone) > 0 {
		// Until the next Save, a container that starts now must not trust
		// the folder: it may hold files that no state knows.
		f.forget()
	}
	if keep {
		if err := f.keepGood(tx.changes()); err != nil {
			return err
		}
	}
	if err := tx.apply(); err != nil {
		return err
	}
	f.held = next
	return nil
}

// changes returns every path that the transaction writes or deletes.
func (tx *Tx) changes() []string {
	paths := slices.Clone(tx.begin.Gone)
	for _, s := range tx.files {
		paths = append(paths, s.Path)
	}
	return paths
}

// outcome returns what the folder will hold.
func (tx *Tx) outcome() (map[string]*held, error) {
	next := tx.folder.clone()
	for _, p := range tx.begin.Gone {
		delete(next, p)
	}
	for _, s := range tx.files {
		info, err := s.file.Stat()
		if err != nil {
			return nil, fmt.Errorf("staging %q: %w", s.Path, err)
		}
		next[s.Path] = newHeld(info, s.Exec, s.leaves)
	}
	for _, p := range tx.begin.Touch {
		if next[p] == nil {
			return nil, fmt.Errorf("touching %q: %w", p, ErrMoved)
		}
	}
	return next, nil
}

// apply moves files. New ones come first, then changed ones, then deletions:
// whoever watches sees an import's target before the import.
func (tx *Tx) apply() (err error) {
	f := tx.folder
	j := &journal{folder: f}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.undo())
		} else {
			j.forget()
		}
	}()
	if tx.deletesFirst() {
		if err := j.removeAll(tx.begin.Gone); err != nil {
			return err
		}
	}
	order := slices.Clone(tx.files)
	slices.SortStableFunc(order, func(a, b *staged) int {
		return f.age(a.Path) - f.age(b.Path)
	})
	// A single rename is atomic by itself.
	atomic := len(order) == 1 && len(tx.begin.Gone) == 0 && len(tx.begin.Touch) == 0
	for _, s := range order {
		if err := j.put(s.name, s.Path, !atomic); err != nil {
			return err
		}
	}
	for _, p := range tx.begin.Touch {
		if err := j.touch(p, len(order)); err != nil {
			return err
		}
	}
	if !tx.deletesFirst() {
		return j.removeAll(tx.begin.Gone)
	}
	return nil
}

func (f *Folder) age(p string) int {
	if f.held[p] != nil {
		return 1
	}
	return 0
}

// deletesFirst says whether a deleted file stands where a folder has to be,
// or a folder of deleted files where a file has to be.
func (tx *Tx) deletesFirst() bool {
	gone := map[string]bool{}
	for _, p := range tx.begin.Gone {
		gone[p] = true
	}
	for _, s := range tx.files {
		for d := path.Dir(s.Path); d != "."; d = path.Dir(d) {
			if gone[d] {
				return true
			}
		}
		for p := range gone {
			if strings.HasPrefix(p, s.Path+"/") {
				return true
			}
		}
	}
	return false
}

// journal does the steps of a commit and can take them back.
type journal struct {
	folder *Folder
	steps  []func() error // how to take back, oldest first
	saved  []string       // names below undoDir
	kept   int
}

// put moves a staged file to its path.
func (j *journal) put(name, p string, undoable bool) error {
	root := j.folder.root
	if err := j.mkdirs(path.Dir(p)); err != nil {
		return err
	}
	if undoable {
		old, err := j.save(p, root.Link)
		if err != nil {
			return err
		}
		j.steps = append(j.steps, func() error {
			if old == "" {
				return root.Remove(filePath(p))
			}
			return root.Rename(old, filePath(p))
		})
	}
	if err := root.Rename(name, filePath(p)); err != nil {
		if undoable {
			j.steps = j.steps[:len(j.steps)-1]
		}
		return fmt.Errorf("replacing %q: %w", p, err)
	}
	return nil
}

// save gives the file p a second name, by hard link or rename, and returns its
// name, or "" where there is no such file.
func (j *journal) save(p string, by func(from, to string) error) (string, error) {
	name := fmt.Sprintf("%s/%d", undoDir, j.kept)
	j.kept++
	_ = j.folder.root.Remove(name)
	switch err := by(filePath(p), name); {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("keeping %q: %w", p, err)
	}
	j.saved = append(j.saved, name)
	return name, nil
}

// touch puts a copy of a file in its place, which a watcher sees as a change.
func (j *journal) touch(p string, i int) error {
	root := j.folder.root
	b, err := root.ReadFile(filePath(p))
	if err != nil {
		return fmt.Errorf("touching %q: %w", p, err)
	}
	name := fmt.Sprintf("%s/touch.%d", stageDir, i)
	exec := j.folder.held[p] != nil && j.folder.held[p].Exec
	if err := root.WriteFile(name, b, mode(exec)); err != nil {
		return fmt.Errorf("touching %q: %w", p, err)
	}
	return j.put(name, p, true)
}

// removeAll deletes files, and the folders that are empty without them.
func (j *journal) removeAll(paths []string) error {
	root := j.folder.root
	for _, p := range paths {
		old, err := j.save(p, root.Rename)
		if err != nil {
			return fmt.Errorf("deleting %q: %w", p, err)
		}
		if old != "" {
			j.steps = append(j.steps, func() error { return root.Rename(old, filePath(p)) })
		}
		for d := path.Dir(p); d != "."; d = path.Dir(d) {
			if root.Remove(filePath(d)) != nil {
				break // not empty
			}
			j.steps = append(j.steps, func() error { return root.Mkdir(filePath(d), 0o755) })
		}
	}
	return nil
}

func (j *journal) mkdirs(dir string) error {
	if dir == "." {
		return nil
	}
	root := j.folder.root
	if info, err := root.Lstat(filePath(dir)); err == nil && info.IsDir() {
		return nil
	}
	if err := j.mkdirs(path.Dir(dir)); err != nil {
		return err
	}
	if err := root.Mkdir(filePath(dir), 0o755); err != nil {
		return fmt.Errorf("making folder %q: %w", dir, err)
	}
	j.steps = append(j.steps, func() error { return root.Remove(filePath(dir)) })
	return nil
}

// undo takes back every step, the last one first.
func (j *journal) undo() error {
	var errs []error
	for _, back := range slices.Backward(j.steps) {
		if err := back(); err != nil {
			errs = append(errs, fmt.Errorf("taking back a change: %w", err))
		}
	}
	j.forget()
	return errors.Join(errs...)
}

func (j *journal) forget() {
	for _, name := range j.saved {
		_ = j.folder.root.Remove(name)
	}
}
