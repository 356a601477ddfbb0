package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"zr/pkg/build"
)

// mirror makes to hold the service's inputs and nothing else, but for what
// npm installed, so that builds leave nothing in the user's tree and begin
// from the same state. Files that are the same already are not touched.
func mirror(r build.Request, set *build.InputSet, to string) error {
	from := filepath.Join(r.Root, r.Spec.Node)
	wanted := map[string]build.InputFile{}
	for _, f := range set.Files() {
		rel, err := filepath.Rel(r.Spec.Node, filepath.FromSlash(f.Path))
		if err != nil || strings.HasPrefix(rel, "..") || f.Hash == "" {
			continue
		}
		wanted[rel] = f
	}
	if err := clear(to, wanted); err != nil {
		return fmt.Errorf("making a work copy: %w", err)
	}
	for rel, f := range wanted {
		if err := copyFile(filepath.Join(from, rel), filepath.Join(to, rel), f.Mode); err != nil {
			return fmt.Errorf("making a work copy: %w", err)
		}
	}
	return nil
}

// clear removes what is not wanted.
func clear(dir string, wanted map[string]build.InputFile) error {
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
