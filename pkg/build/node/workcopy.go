package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	return place(files, to)
}

// place puts files into a work copy.
func place(files map[string]origin, to string) error {
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

func copyFile(from, to string, mode fs.FileMode) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	switch {
	case mode&0o111 != 0:
		mode = 0o755
	case filepath.Base(to) == npmConfig:
		mode = 0o600 // it may hold a token
	default:
		mode = 0o644
	}
	if old, err := os.ReadFile(to); err == nil && bytes.Equal(old, content) {
		return os.Chmod(to, mode)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(to, content, mode); err != nil {
		return err
	}
	return os.Chmod(to, mode)
}
