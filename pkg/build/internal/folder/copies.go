package folder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"zr/pkg/bounded"
)

// Copies keeps copies of files that the next build writes over, so that a container
// can be sent them at any time. Only Copies writes to its folder. Calls must not
// overlap.
type Copies struct {
	dir    string
	copied map[string]fs.FileInfo // of what dir has copies of, by their paths in it
}

// NewCopies returns copies in the folder dir, which need not exist.
func NewCopies(dir string) *Copies { return &Copies{dir, map[string]fs.FileInfo{}} }

// Of makes the folder hold the files of another one, and nothing else, and returns
// where they are: slash-separated path below from → absolute path. keep says by that path
// which files and folders count.
func (c *Copies) Of(from string, keep func(rel string) bool) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == from {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch name := filepath.ToSlash(rel); {
		case !keep(name) && d.IsDir():
			return fs.SkipDir
		case keep(name) && isFile(path):
			files[name], err = c.File(path, rel)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("copying what was built: %w", err)
	}
	for rel := range c.copied {
		if _, ok := files[filepath.ToSlash(rel)]; ok {
			continue
		}
		if err := os.Remove(c.path(rel)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		delete(c.copied, rel)
	}
	return files, nil
}

// path is where the copy of a file is. Those that are not whole yet lie beside
// this folder, where no output's name can meet theirs.
func (c *Copies) path(rel string) string { return filepath.Join(c.dir, "files", rel) }

// File makes the folder hold a file at rel, and returns where. Whoever reads the one
// before goes on reading that.
func (c *Copies) File(from, rel string) (string, error) {
	to := c.path(rel)
	info, err := os.Stat(from)
	if err != nil {
		return "", err
	}
	if was, ok := c.copied[rel]; ok && os.SameFile(was, info) && was.ModTime().Equal(info.ModTime()) && was.Size() == info.Size() && was.Mode() == info.Mode() {
		return to, nil
	}
	if err := c.makeWay(rel); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", err
	}
	temp := filepath.Join(c.dir, "new")
	if err := copyFile(from, temp, info.Mode()); err != nil {
		return "", err
	}
	if err := os.Rename(temp, to); err != nil {
		return "", err
	}
	c.copied[rel] = info
	return to, nil
}

// makeWay removes what a file of this path replaces: a folder of its name, or a
// file with the name of a folder that it is in.
func (c *Copies) makeWay(rel string) error {
	info, err := os.Lstat(c.path(rel))
	isFolder := err == nil && info.IsDir()
	if !isFolder && !errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	for was := range c.copied {
		if was == rel || !within(was, rel) && !within(rel, was) {
			continue
		}
		if err := os.Remove(c.path(was)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		delete(c.copied, was)
	}
	if isFolder {
		return os.RemoveAll(c.path(rel)) // no file is left in it
	}
	return nil
}

// copyFile copies a file that is not there yet. It is executable where the other is.
func copyFile(from, to string, mode fs.FileMode) error {
	src, err := bounded.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	perm := fs.FileMode(0o644)
	if mode&0o111 != 0 {
		perm = 0o755
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
