package recipe

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A tree is the content of a root file system or of a layer: what is at each
// path, relative and clean.
type tree map[string]node

// A node is one file, folder or symlink. Its header has the name, and times and
// names of users left out.
type node struct {
	header *tar.Header
	open   func() (io.ReadCloser, error) // the content of a file
	sum    [sha256.Size]byte             // of the content, where it was asked for
}

// fileNode is a file whose content is in memory.
func fileNode(mode int64, content []byte) node {
	return node{
		header: &tar.Header{Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(content))},
		open:   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
	}
}

// readTar returns the content of a tar on disk, with the sums of its files.
// The file is opened again whenever content is read. Device nodes are left
// out: engines make their own.
func readTar(name string) (tree, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	t := tree{}
	for r := tar.NewReader(file); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		at := cleanPath(header.Name)
		if at == "" {
			continue // the root itself
		}
		n := node{header: normalized(header)}
		switch header.Typeflag {
		case tar.TypeReg:
			offset, err := file.Seek(0, io.SeekCurrent)
			if err != nil {
				return nil, err
			}
			n.open = section(name, offset, header.Size)
			sum := sha256.New()
			if _, err := io.Copy(sum, r); err != nil {
				return nil, fmt.Errorf("reading %s: %w", name, err)
			}
			sum.Sum(n.sum[:0])
		case tar.TypeDir, tar.TypeSymlink, tar.TypeLink:
		default:
			continue
		}
		t[at] = n
	}
	return t, t.resolveHardLinks()
}

// readDir returns the content of a folder as if root owned it.
func readDir(dir string) (tree, error) {
	t := tree{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			if target, err = os.Readlink(name); err != nil {
				return err
			}
		}
		header, err := tar.FileInfoHeader(info, target)
		if err != nil {
			return err
		}
		header.Uid, header.Gid, header.ModTime = 0, 0, sourceDate
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		t[filepath.ToSlash(rel)] = node{
			header: normalized(header),
			open:   func() (io.ReadCloser, error) { return os.Open(name) },
		}
		return nil
	})
	return t, err
}

// normalized keeps of a header what belongs into a layer.
func normalized(h *tar.Header) *tar.Header {
	n := &tar.Header{
		Typeflag: h.Typeflag, Linkname: h.Linkname, Size: h.Size, Mode: h.Mode & 0o7777,
		Uid: h.Uid, Gid: h.Gid, ModTime: h.ModTime,
	}
	for key, value := range h.PAXRecords {
		if strings.HasPrefix(key, "SCHILY.xattr.") {
			if n.PAXRecords == nil {
				n.PAXRecords = map[string]string{}
			}
			n.PAXRecords[key] = value
		}
	}
	return n
}

// section opens a part of a file on disk.
func section(name string, offset, size int64) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(file, offset, size), file}, nil
	}
}

// resolveHardLinks makes each hard link a file of its own: a layer that has
// the symlink may lack its target, and few packages have any.
func (t tree) resolveHardLinks() error {
	for name, n := range t {
		if n.header.Typeflag != tar.TypeLink {
			continue
		}
		target, ok := t[cleanPath(n.header.Linkname)]
		if !ok || target.header.Typeflag != tar.TypeReg {
			return fmt.Errorf("the hard link %s has no target", name)
		}
		t[name] = target
	}
	return nil
}

func cleanPath(name string) string { return strings.TrimPrefix(path.Join("/", name), "/") }

// without returns t less what the globs match, and everything below that, but
// for what keep matches.
func (t tree) without(globs, keep []string) tree {
	left := tree{}
	for name, n := range t {
		if !matches(globs, name) || matches(keep, name) {
			left[name] = n
		}
	}
	return left
}

// matches says whether a glob matches name or a folder above it.
func matches(globs []string, name string) bool {
	for ; name != "." && name != ""; name = path.Dir(name) {
		for _, glob := range globs {
			if ok, _ := path.Match(glob, name); ok {
				return true
			}
		}
	}
	return false
}

// whiteout is the prefix of a file that, in a layer, says that the file of
// the rest of its name is gone from the layers below.
const whiteout = ".wh."

// since returns what must be put on before to get t.
func (t tree) since(before tree) tree {
	layer := tree{}
	for name, n := range t {
		if old, ok := before[name]; !ok || !same(old, n) {
			layer[name] = n
		}
	}
	for name := range before {
		if _, ok := t[name]; ok {
			continue
		}
		if _, parent := t[path.Dir(name)]; parent || path.Dir(name) == "." {
			layer[path.Join(path.Dir(name), whiteout+path.Base(name))] = fileNode(0, nil)
		}
	}
	return layer
}

// same ignores times: a folder's changes with what is put into it.
func same(a, b node) bool {
	x, y := a.header, b.header
	return x.Typeflag == y.Typeflag && x.Mode == y.Mode && x.Uid == y.Uid && x.Gid == y.Gid &&
		x.Linkname == y.Linkname && x.Size == y.Size && maps.Equal(x.PAXRecords, y.PAXRecords) && a.sum == b.sum
}

// adoptFolders gives folders that below has too the mode and owner that they
// have there: who wrote the tree knew nothing of them.
func (t tree) adoptFolders(below tree) {
	for name, n := range t {
		if old, ok := below[name]; ok && n.header.Typeflag == tar.TypeDir && old.header.Typeflag == tar.TypeDir {
			t[name] = old
		}
	}
}

// addParents puts the folders above what is in the tree into it, as they are in below
// where that has them. Without them an engine that unpacks a layer makes them with a
// mode of its own, which then hides the one below.
func (t tree) addParents(below tree) error {
	for name := range maps.Clone(t) {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, ok := t[dir]; ok {
				continue
			}
			folder, ok := below[dir]
			if !ok {
				folder = node{header: &tar.Header{Typeflag: tar.TypeDir, Mode: 0o755}}
			}
			if folder.header.Typeflag != tar.TypeDir {
				return fmt.Errorf("%s: %s is no folder", name, dir)
			}
			t[dir] = folder
		}
	}
	return nil
}

// write writes the tree as the tar of a layer: sorted by path, so that the
// same tree gives the same bytes.
func (t tree) write(w io.Writer) error {
	out := tar.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(t)) {
		n := t[name]
		header := *n.header
		header.Name = name
		if header.Typeflag == tar.TypeDir {
			header.Name += "/"
		}
		if header.ModTime.IsZero() {
			header.ModTime = sourceDate
		}
		header.Format = tar.FormatPAX
		if err := out.WriteHeader(&header); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if err := copyNode(out, n); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return out.Close()
}

func copyNode(w io.Writer, n node) error {
	content, err := n.open()
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = io.Copy(w, content)
	return err
}

// read returns the content of one file of the tree.
func (t tree) read(name string) ([]byte, error) {
	n, ok := t[name]
	if !ok || n.open == nil {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	var content bytes.Buffer
	err := copyNode(&content, n)
	return content.Bytes(), err
}
