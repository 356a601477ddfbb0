// Package folder is the writable folder of a dev container. It is filled from the
// image. Transactions change it, each completely or not at all. It can go back to the
// last version that was called good, and it can always say what it holds.
package folder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"sync"
	"syscall"

	"zr/pkg/agentspec"
	"zr/pkg/agentspec/wire"
)

// Files is the folder of the volume that holds the files, and that the process sees.
// Nothing else lies in it, so whoever watches or scans it sees the files and none of
// the agent's books. (A folder there that went and came back after each save cost
// Next.js 20 ms of the save.)
const Files = agentspec.FilesDir

// The folders beside Files. They share its volume, so that everything moves by
// rename.
const (
	stageDir = "stage" // files of open transactions
	undoDir  = "undo"  // what a commit replaces, until it is through
	goodDir  = "good"  // files that were replaced since of the versions to go back to, by sum
)

// filePath returns where the volume holds the file p.
func filePath(p string) string { return path.Join(Files, p) }

// Folder is the synced folder. Transactions may be staged by one goroutine
// while another commits; commits and restores are for one goroutine.
type Folder struct {
	root *os.Root // of the volume

	mu    sync.Mutex
	held  map[string]*held
	good  map[string]*held // nil until MarkGood
	tried map[string]*held // nil, or a newer one than good, by MarkTried
}

// held is a file that the agent put into the folder.
type held struct {
	wire.File
	leaves []wire.Sum
	id     identity
}

// identity tells whether somebody else wrote to a file since it was put in
// place. Renames and hard links change the inode's ctime, so that stays out.
type identity struct {
	inode uint64
	size  int64
	mtime syscall.Timespec
}

func identityOf(info fs.FileInfo) identity {
	st := info.Sys().(*syscall.Stat_t)
	return identity{inode: st.Ino, size: st.Size, mtime: st.Mtim}
}

// Open opens the folder Files of a volume. It makes it hold the last version that Save
// described, if that came from the same seed and is still intact. Otherwise it makes it
// hold the files of the folder seed. It returns the build hash of what it holds:
// seedBuild, or that of the saved version.
//
// A container that was restarted within its pod finds its emptyDir as it was:
// it comes up with the code that was live last, not with that of the image.
func Open(volume, seed, seedBuild string) (*Folder, string, error) {
	if err := os.MkdirAll(filepath.Join(volume, Files), 0o755); err != nil {
		return nil, "", fmt.Errorf("opening the synced folder: %w", err)
	}
	root, err := os.OpenRoot(volume)
	if err != nil {
		return nil, "", fmt.Errorf("opening the synced folder: %w", err)
	}
	f := &Folder{root: root, held: map[string]*held{}}
	build, err := f.fill(seed, seedBuild)
	if err != nil {
		root.Close()
		return nil, "", err
	}
	return f, build, nil
}

// Close releases the folder.
func (f *Folder) Close() error { return f.root.Close() }

func (f *Folder) fill(seed, seedBuild string) (string, error) {
	_, err := f.root.Lstat(stageDir)
	ours := err == nil
	for _, d := range []string{stageDir, undoDir} {
		if err := f.root.RemoveAll(d); err != nil {
			return "", fmt.Errorf("clearing %s: %w", d, err)
		}
	}
	if build, ok := f.resume(seedBuild); ok {
		return build, f.privateDirs()
	}
	if ours {
		// Whatever was under way when the container ended: start clean.
		if err := f.clear(); err != nil {
			return "", err
		}
	}
	if err := f.privateDirs(); err != nil {
		return "", err
	}
	return seedBuild, f.copySeed(seed)
}

// clear leaves the folders themselves: Files is mounted.
func (f *Folder) clear() error {
	f.forget()
	f.dropKept(nil)
	d, err := f.root.Open(Files)
	if err != nil {
		return fmt.Errorf("clearing the synced folder: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("clearing the synced folder: %w", err)
	}
	for _, n := range names {
		if err := f.root.RemoveAll(filePath(n)); err != nil {
			return fmt.Errorf("clearing the synced folder: %w", err)
		}
	}
	clear(f.held)
	return nil
}

func (f *Folder) privateDirs() error {
	for _, d := range []string{stageDir, undoDir, goodDir} {
		if err := f.root.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("preparing the synced folder: %w", err)
		}
	}
	return nil
}

func (f *Folder) copySeed(seed string) error {
	buf := make([]byte, wire.MaxChunk)
	err := filepath.WalkDir(seed, func(from string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(seed, from)
		if err != nil {
			return err
		}
		// A symlink counts as the file that it names: the image made it, so it
		// may lead anywhere in the image.
		info, err := os.Stat(from)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // a dangling symlink
		case err != nil:
			return err
		case d.IsDir():
			return f.root.MkdirAll(filePath(rel), 0o755)
		case !info.Mode().IsRegular() || wire.CheckPath(rel) != nil:
			return nil
		}
		src, err := os.Open(from)
		if err != nil {
			return err
		}
		defer src.Close()
		dst, err := f.root.OpenFile(filePath(rel), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer dst.Close()
		leaves, err := hashTo(dst, src, buf)
		if err != nil {
			return err
		}
		exec := info.Mode()&0o111 != 0
		if err := dst.Chmod(mode(exec)); err != nil {
			return err
		}
		info, err = dst.Stat()
		if err != nil {
			return err
		}
		f.held[rel] = newHeld(info, exec, leaves)
		return nil
	})
	if err != nil {
		return fmt.Errorf("filling the synced folder from %s: %w", seed, err)
	}
	return nil
}

func newHeld(info fs.FileInfo, exec bool, leaves []wire.Sum) *held {
	return &held{
		File:   wire.File{Size: info.Size(), Exec: exec, Sum: wire.SumOf(leaves)},
		leaves: leaves,
		id:     identityOf(info),
	}
}

func mode(exec bool) fs.FileMode {
	if exec {
		return 0o755
	}
	return 0o644
}

// hashTo copies src to dst, leaf by leaf. dst may be io.Discard.
func hashTo(dst io.Writer, src io.Reader, buf []byte) ([]wire.Sum, error) {
	var leaves []wire.Sum
	for {
		n, err := io.ReadFull(src, buf)
		if n > 0 {
			leaves = wire.AppendLeaves(leaves, buf[:n])
			if _, err := dst.Write(buf[:n]); err != nil {
				return nil, err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return leaves, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// Tree returns what the folder holds. Files that the process itself wrote or
// removed since they were put in place are looked at again, so that the
// answer is true and not remembered. What the process created stays out.
func (f *Folder) Tree() wire.Tree {
	f.mu.Lock()
	defer f.mu.Unlock()
	for p, h := range f.held {
		f.look(p, h)
	}
	return treeOf(f.held)
}

// look brings what is remembered of a file in line with the file.
func (f *Folder) look(p string, h *held) {
	info, err := f.root.Lstat(filePath(p))
	if err == nil && info.Mode().IsRegular() && identityOf(info) == h.id {
		return
	}
	if err == nil && info.Mode().IsRegular() {
		if file, err := f.root.Open(filePath(p)); err == nil {
			defer file.Close()
			leaves, err := hashTo(io.Discard, file, make([]byte, wire.MaxChunk))
			if info, statErr := file.Stat(); err == nil && statErr == nil {
				f.held[p] = newHeld(info, info.Mode()&0o100 != 0, leaves)
				return
			}
		}
	}
	delete(f.held, p)
}

func treeOf(held map[string]*held) wire.Tree {
	t := make(wire.Tree, len(held))
	for p, h := range held {
		t[p] = h.File
	}
	return t
}

// Sum returns the sum of the tree as it was put in place.
func (f *Folder) Sum() wire.Sum {
	f.mu.Lock()
	defer f.mu.Unlock()
	return treeOf(f.held).Sum()
}

// Leaves returns the sums of the leaves of the file p, or nothing if that
// does not have the given sum.
func (f *Folder) Leaves(p string, sum wire.Sum) []wire.Sum {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h := f.held[p]; h != nil && h.Sum == sum {
		return h.leaves
	}
	return nil
}

// refuseLinks says which part of the path p is a symbolic link or, unless it
// is the last one, anything but a folder. The root keeps every access inside
// the folder; this keeps a transaction from writing to another file of the
// folder than it names.
func (f *Folder) refuseLinks(p string) error {
	for d := p; d != "."; d = path.Dir(d) {
		info, err := f.root.Lstat(filePath(d))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, syscall.ENOTDIR):
			continue // a parent is a file, which may go in this transaction
		case err != nil:
			return fmt.Errorf("path %q: %w", p, err)
		case info.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("path %q: %s is a symbolic link", p, d)
		case d == p && !info.Mode().IsRegular() && !info.IsDir():
			return fmt.Errorf("path %q: not a regular file", p)
		}
	}
	return nil
}

// clone returns a copy of what is held, to be changed and swapped in.
func (f *Folder) clone() map[string]*held { return maps.Clone(f.held) }
