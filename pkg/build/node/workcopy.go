package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"zr/pkg/bounded"
)

// origin is where a file of a work copy comes from.
type origin struct {
	path string
	mode fs.FileMode
	hash string // of its content
}

// sourceFiles are the service's inputs by their paths below its folder.
func (j *job) sourceFiles() map[string]origin {
	files := map[string]origin{}
	for _, f := range j.set.Files() {
		rel, err := filepath.Rel(j.Spec.Node, filepath.FromSlash(f.Path))
		if err != nil || !filepath.IsLocal(rel) || f.Hash == "" {
			continue
		}
		files[rel] = origin{filepath.Join(j.Root, j.Spec.Node, rel), f.Mode, f.Hash}
	}
	return files
}

// mirror makes to hold some files and nothing else, but for what npm installed,
// so that builds leave nothing in the user's tree and begin from the same
// state. Files that are the same already are not touched.
func mirror(files map[string]origin, to string) error {
	if err := clear(to, files); err != nil {
		return fmt.Errorf("making a work copy: %w", err)
	}
	return copyFiles(files, to)
}

// copyFiles copies files into a work copy.
func copyFiles(files map[string]origin, to string) error {
	for rel, f := range files {
		target := filepath.Join(to, rel)
		if f.path == target {
			continue
		}
		if err := copyFile(f.path, target, f.mode); err != nil {
			return fmt.Errorf("making a work copy: %w", err)
		}
	}
	return nil
}

// clear removes what is not wanted.
func clear(dir string, wanted map[string]origin) error {
	folders := map[string]bool{".": true}
	for rel := range wanted {
		for parent := filepath.Dir(rel); !folders[parent]; parent = filepath.Dir(parent) {
			folders[parent] = true
		}
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" {
			return fs.SkipDir
		}
		if _, ok := wanted[rel]; rel == installedNote || ok && !d.IsDir() || folders[rel] && d.IsDir() {
			return nil
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// copyFile makes a file of a work copy what it is in the project, where it is not.
// No file is held in memory as a whole.
func copyFile(from, to string, mode fs.FileMode) error {
	src, err := bounded.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	switch {
	case mode&0o111 != 0:
		mode = 0o755
	case filepath.Base(to) == npmConfig:
		mode = 0o600 // it may hold a token
	default:
		mode = 0o644
	}
	same, err := equal(src, to)
	if err != nil {
		return err
	}
	if same {
		return os.Chmod(to, mode)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if err := errors.Join(err, dst.Close()); err != nil {
		return err
	}
	return os.Chmod(to, mode)
}

// equal says whether a file holds what another one does, which it leaves at its
// beginning.
func equal(a *os.File, path string) (bool, error) {
	b, err := bounded.Open(path)
	if err != nil {
		return false, nil // it is written anew
	}
	defer b.Close()
	first, err := a.Stat()
	if err != nil {
		return false, err
	}
	if second, err := b.Stat(); err != nil || first.Size() != second.Size() {
		return false, err
	}
	const part = 256 << 10
	x, y := make([]byte, min(part, first.Size()+1)), make([]byte, min(part, first.Size()+1))
	for {
		n, err := io.ReadFull(a, x)
		m, _ := io.ReadFull(b, y)
		if !bytes.Equal(x[:n], y[:m]) {
			break
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	_, err = a.Seek(0, io.SeekStart)
	return false, err
}
