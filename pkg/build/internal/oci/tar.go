// Package oci writes image layers and puts images together so that the same
// content gives the same bytes on every machine.
package oci

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zr/pkg/bounded"
)

// Owner is who the files of a layer belong to.
type Owner struct{ UID, GID int }

// The owners of what zr puts into images. Neither may write to what it runs.
var Root = Owner{0, 0}

// Tar writes the entries of a layer. Order, times, owners and modes depend on
// nothing but the arguments. Parents are added by themselves, once. The first
// error stays: it is returned by Close, so that calls need no check between.
type Tar struct {
	w    *tar.Writer
	dirs map[string]bool
	err  error
}

// NewTar begins a layer.
func NewTar(w io.Writer) *Tar {
	return &Tar{w: tar.NewWriter(w), dirs: map[string]bool{"": true, ".": true}}
}

// Close ends the layer.
func (t *Tar) Close() error {
	if t.err != nil {
		return t.err
	}
	return t.w.Close()
}

// dirTime is the time of all folders and symlinks: any constant will do.
var dirTime = time.Unix(1_000_000_000, 0).UTC()

// fileTime is a modification time that is a function of the content. A web
// server that makes ETags from size and time, as Node's and Go's do, would
// otherwise answer "not modified" for a changed file of the same size.
func fileTime(content []byte) time.Time {
	sum := sha256.Sum256(content)
	return timeOf(sum[:])
}

func timeOf(sum []byte) time.Time {
	// Between 2001 and 2017: in the past for every clock.
	return time.Unix(1_000_000_000+int64(binary.BigEndian.Uint32(sum[:4])%500_000_000), 0).UTC()
}

// Dir adds a folder and its parents, which belong to root with mode 0755.
func (t *Tar) Dir(name string, mode fs.FileMode, owner Owner) {
	name = clean(name)
	t.parents(name)
	if t.dirs[name] {
		return
	}
	t.dirs[name] = true
	t.header(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: int64(mode.Perm()) | sticky(mode), ModTime: dirTime, Uid: owner.UID, Gid: owner.GID})
}

// File adds a file with content that is at hand.
func (t *Tar) File(name string, mode fs.FileMode, owner Owner, content []byte) {
	name = clean(name)
	t.parents(name)
	t.header(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: int64(mode.Perm()),
		ModTime: fileTime(content), Uid: owner.UID, Gid: owner.GID,
	})
	if t.err == nil {
		_, t.err = t.w.Write(content)
	}
}

// Copy adds a file from disk, as File does: it is read twice, and never held in
// memory as a whole. It is executable where it is that on disk.
func (t *Tar) Copy(name string, owner Owner, from string) {
	if t.err != nil {
		return
	}
	f, info := t.open(from)
	if t.err != nil {
		return
	}
	defer f.Close()
	sum, buf := sha256.New(), make([]byte, 256<<10)
	_, err := io.CopyBuffer(sum, io.LimitReader(f, info.Size()), buf)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		t.err = err
		return
	}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	name = clean(name)
	t.parents(name)
	t.header(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: int64(mode),
		ModTime: timeOf(sum.Sum(nil)), Uid: owner.UID, Gid: owner.GID,
	})
	if t.err == nil {
		_, t.err = io.CopyBuffer(t.w, io.LimitReader(f, info.Size()), buf)
	}
}

// open opens a file of this machine; a pipe of that name is not waited for.
func (t *Tar) open(from string) (*os.File, fs.FileInfo) {
	f, err := bounded.Open(from)
	if err != nil {
		t.err = err
		return nil, nil
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		t.err = err
	}
	return f, info
}

// Stream adds a file from disk without holding it in memory. Its time is
// fixed: use it for what no web server hands out.
func (t *Tar) Stream(name string, mode fs.FileMode, owner Owner, from string) {
	if t.err != nil {
		return
	}
	f, info := t.open(from)
	if t.err != nil {
		return
	}
	defer f.Close()
	name = clean(name)
	t.parents(name)
	t.header(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: int64(mode.Perm()),
		ModTime: dirTime, Uid: owner.UID, Gid: owner.GID,
	})
	if t.err == nil {
		_, t.err = io.CopyBuffer(t.w, f, make([]byte, 256<<10))
	}
}

// Symlink adds a symlink.
func (t *Tar) Symlink(name, target string, owner Owner) {
	name = clean(name)
	t.parents(name)
	t.header(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777, ModTime: dirTime, Uid: owner.UID, Gid: owner.GID})
}

// Tree adds what is below a folder of this machine, in the order of names.
// Modes are 0755 for folders and what is executable, and 0644 else, whatever
// the umask of the build was. keep says what to add, by the path relative to
// from; nil adds all. rewrite may change the content of a file; nil leaves all.
func (t *Tar) Tree(name, from string, owner Owner, keep func(rel string, d fs.DirEntry) bool, rewrite func(rel string, content []byte) []byte) {
	if t.err != nil {
		return
	}
	t.Dir(name, 0o755, owner)
	err := filepath.WalkDir(from, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, file)
		if err != nil || rel == "." {
			return err
		}
		rel = filepath.ToSlash(rel)
		if keep != nil && !keep(rel, d) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		return t.entry(path.Join(name, rel), file, rel, d, owner, rewrite)
	})
	t.err = errors.Join(t.err, err)
}

// large is the size in bytes from which a file is read twice instead of being held
// in memory.
const large = 1 << 20

func (t *Tar) entry(name, file, rel string, d fs.DirEntry, owner Owner, rewrite func(string, []byte) []byte) error {
	switch {
	case d.IsDir():
		t.Dir(name, 0o755, owner)
	case d.Type()&fs.ModeSymlink != 0:
		target, err := os.Readlink(file)
		if err != nil {
			return err
		}
		t.Symlink(name, target, owner)
	case d.Type().IsRegular():
		info, err := d.Info()
		if err != nil {
			return err
		}
		if rewrite == nil && info.Size() > large {
			t.Copy(name, owner, file)
			return t.err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if info.Mode()&0o111 != 0 {
			mode = 0o755
		}
		if rewrite != nil {
			content = rewrite(rel, content)
		}
		t.File(name, mode, owner, content)
	default:
		return fmt.Errorf("%q is neither a file nor a folder nor a symlink", file)
	}
	return t.err
}

// parents adds the folders above a name.
func (t *Tar) parents(name string) {
	var missing []string
	for dir := path.Dir(name); !t.dirs[dir]; dir = path.Dir(dir) {
		missing = append(missing, dir)
	}
	for _, dir := range slices.Backward(missing) {
		t.dirs[dir] = true
		t.header(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: dirTime})
	}
}

func (t *Tar) header(h *tar.Header) {
	if t.err != nil {
		return
	}
	h.Format = tar.FormatPAX
	if err := t.w.WriteHeader(h); err != nil {
		t.err = fmt.Errorf("adding %q: %w", h.Name, err)
	}
}

func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

func sticky(mode fs.FileMode) int64 {
	if mode&fs.ModeSticky != 0 {
		return 0o1000
	}
	return 0
}
