package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"zr/pkg/agentspec/wire"
)

// MarkGood makes what the folder holds the version that Restore goes back to.
func (f *Folder) MarkGood() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.good, f.tried = f.clone(), nil
	f.dropKept(nil)
}

// MarkTried makes what the folder holds the version that Restore goes back to
// first. The good version stays the one that it goes back to after that.
func (f *Folder) MarkTried() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tried = f.clone()
	keep := map[string]bool{}
	for _, g := range f.good {
		keep[goodName(g.Sum, g.Exec)] = true
	}
	f.dropKept(keep)
}

// dropKept deletes the kept files but for those named. What it cannot delete
// costs room until the next time, and is found by nobody.
func (f *Folder) dropKept(but map[string]bool) {
	dir, err := f.root.Open(goodDir)
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if name = goodDir + "/" + name; !but[name] {
			_ = f.root.Remove(name)
		}
	}
}

// HasGood reports whether there is a version to go back to that is another
// one than the folder holds.
func (f *Folder) HasGood() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	to, _ := f.back()
	return to != nil
}

// back returns the version that Restore goes back to, nil where that is held
// or where there is none, and whether it is the good one.
func (f *Folder) back() (to map[string]*held, good bool) {
	sum := treeOf(f.held).Sum()
	if f.tried != nil && treeOf(f.tried).Sum() != sum {
		return f.tried, false
	}
	if f.good != nil && treeOf(f.good).Sum() != sum {
		return f.good, true
	}
	return nil, false
}

func goodName(s wire.Sum, exec bool) string {
	if exec {
		return goodDir + "/x" + s.String()
	}
	return goodDir + "/" + s.String()
}

// keepGood gives those of the named files that belong to a version to go back
// to a second name, before they are replaced.
func (f *Folder) keepGood(paths []string) error {
	for _, p := range paths {
		h := f.held[p]
		of := func(version map[string]*held) bool { g := version[p]; return g != nil && g.File == h.File }
		if h == nil || !of(f.good) && !of(f.tried) {
			continue
		}
		err := f.root.Link(filePath(p), goodName(h.Sum, h.Exec))
		if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keeping the good version of %q: %w", p, err)
		}
	}
	return nil
}

// Restore makes the folder hold the version before it again, and says whether
// that is the good one or one that was only tried.
func (f *Folder) Restore() (good bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	to, good := f.back()
	if to == nil {
		return false, errors.New("restoring the last good version: there is none")
	}
	// What is held may belong to the other one of the two.
	if err := f.keepGood(slices.Collect(maps.Keys(f.held))); err != nil {
		return false, err
	}
	f.forget()
	next := f.clone()
	j := &journal{folder: f}
	for p := range f.held {
		if _, ok := to[p]; ok {
			continue
		}
		if err := j.removeAll([]string{p}); err != nil {
			return false, errors.Join(err, j.undo())
		}
		delete(next, p)
	}
	for p, g := range to {
		if h := f.held[p]; h != nil && h.File == g.File {
			continue
		}
		h, err := f.bring(j, p, g)
		if err != nil {
			return false, errors.Join(fmt.Errorf("restoring %q: %w", p, err), j.undo())
		}
		next[p] = h
	}
	j.forget()
	f.held = next
	if good {
		f.tried = nil
	}
	return good, nil
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
