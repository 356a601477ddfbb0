package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// exists reports a path of a build that is not there, or is no folder or no
// file where it must be one.
func (v *validator) exists(path, kind, service, key string) {
	if path == "" {
		return
	}
	at := v.value("services", service, "build", key)
	info, err := os.Stat(v.inProject(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.add(at, v.nearestPath(path), "services.%s.build.%s: %q does not exist", service, key, path)
	case err != nil:
		v.add(at, "", "services.%s.build.%s: %v", service, key, err)
	case kind == "folder" && !info.IsDir(), kind == "file" && !info.Mode().IsRegular():
		v.add(at, "", "services.%s.build.%s: %q is not a %s", service, key, path, kind)
	case !v.within(path):
		v.add(at, "what an image is made from lies in the project's folder: move config/ to a folder above both", "services.%s.build.%s: %q leads out of the project", service, key, path)
	}
}

// within says whether a path that exists leads to the project's folder or below
// it, also by its links: the whole of a folder that is built goes into an image
// and into containers.
func (v *validator) within(path string) bool {
	root, err := filepath.EvalSymlinks(v.dir)
	if err != nil {
		return false
	}
	real, err := filepath.EvalSymlinks(v.inProject(path))
	return err == nil && (real == root || strings.HasPrefix(real, strings.TrimSuffix(root, "/")+"/"))
}

func (v *validator) inProject(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(v.dir, path)
}

// nearestPath is the hint of a path that does not exist: the same one with the
// first name of it that is not there replaced by the nearest beside it.
func (v *validator) nearestPath(path string) string {
	const otherwise = "paths are relative to the project's folder"
	at, rest := filepath.Clean(path), ""
	for {
		parent := filepath.Dir(at)
		files, err := os.ReadDir(v.inProject(parent))
		if err == nil || parent == at {
			var names []string
			for _, f := range files {
				names = append(names, f.Name())
			}
			name := Nearest(filepath.Base(at), names)
			fixed := filepath.Join(parent, name, rest)
			if _, err := os.Stat(v.inProject(fixed)); name == "" || err != nil {
				return otherwise
			}
			if strings.HasPrefix(path, "./") {
				fixed = "./" + fixed
			}
			return fmt.Sprintf("did you mean %q?", fixed)
		}
		at, rest = parent, filepath.Join(filepath.Base(at), rest)
	}
}
