package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"zr/internal/agent/wire"
)

// MarkGood makes what the folder holds the version that Restore goes back to.
func (f *Folder) MarkGood() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.good = f.clone()
	_ = f.root.RemoveAll(goodDir) // what is left over is found again by nobody
	_ = f.root.MkdirAll(goodDir, 0o700)
}

// HasGood reports whether there is a version to go back to that is another
// one than the folder holds.
func (f *Folder) HasGood() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.good != nil && treeOf(f.good).Sum() != treeOf(f.held).Sum()
}

func goodName(s wire.Sum, exec bool) string {
	if exec {
		return goodDir + "/x" + s.String()
	}
	return goodDir + "/" + s.String()
}

// keepGood gives those of the named files that belong to the good version a
// second name, before they are replaced.
func (f *Folder) keepGood(paths []string) error {
	for _, p := range paths {
		g, h := f.good[p], f.held[p]
		if g == nil || h == nil || g.File != h.File {
			continue
		}
		err := f.root.Link(p, goodName(g.Sum, g.Exec))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("keeping the good version of %q: %w", p, err)
		}
	}
	return nil
}

// Restore makes the folder hold the good version again.
func (f *Folder) Restore() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.good == nil {
		return errors.New("restoring the last good version: there is none")
	}
	f.forget()
	next := f.clone()
	j := &journal{folder: f}
	for p := range f.held {
		if _, ok := f.good[p]; ok {
			continue
		}
		if err := j.removeAll([]string{p}); err != nil {
			return errors.Join(err, j.undo())
		}
		delete(next, p)
	}
	for p, g := range f.good {
		if h := f.held[p]; h != nil && h.File == g.File {
			continue
		}
		h, err := f.bring(j, p, g)
		if err != nil {
			return errors.Join(fmt.Errorf("restoring %q: %w", p, err), j.undo())
		}
		next[p] = h
	}
	j.forget()
	f.held = next
	return nil
}

// bring puts a kept file back. Two paths may have had the same content, so
// the kept one stays until MarkGood.
func (f *Folder) bring(j *journal, p string, g *held) (*held, error) {
	kept := goodName(g.Sum, g.Exec)
	info, err := f.root.Lstat(kept)
	if err != nil {
		return nil, err
	}
	h := *g
	if h.id = identityOf(info); h.id != g.id {
		// The kept one may be that of a twin; it must be the same to the byte.
		again, err := f.hash(kept, g.Exec, make([]byte, wire.MaxChunk))
		if err != nil {
			return nil, err
		}
		if again.File != g.File {
			return nil, errors.New("the kept copy was changed")
		}
	}
	name := stageDir + "/restore." + path.Base(kept)
	_ = f.root.Remove(name)
	if err := f.root.Link(kept, name); err != nil {
		return nil, err
	}
	return &h, j.put(name, p, true)
}
