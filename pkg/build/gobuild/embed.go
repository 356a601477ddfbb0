package gobuild

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"zr/pkg/build/internal/inputs"
)

// embedDirs returns the folders in which a file can come to match a package's
// embed patterns.
func embedDirs(dir string, patterns []string) ([]inputs.Dir, error) {
	var dirs []inputs.Dir
	for _, pattern := range patterns {
		found, err := matchDirs(dir, strings.Split(strings.TrimPrefix(pattern, "all:"), "/"))
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, found...)
	}
	slices.SortFunc(dirs, func(a, b inputs.Dir) int { return strings.Compare(a.Path, b.Path) })
	return slices.Compact(dirs), nil
}

// matchDirs follows a pattern element by element: the folder of each is
// watched for names that match it, and a folder that the last one matches is
// embedded with all that is below.
func matchDirs(dir string, elements []string) ([]inputs.Dir, error) {
	if len(elements) == 1 && elements[0] == "." {
		return allDirs(dir)
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var dirs []inputs.Dir
	if strings.ContainsAny(elements[0], `*?[\`) {
		dirs = append(dirs, inputs.Dir{Path: dir, Kind: embedDir})
	}
	for _, e := range entries {
		matched, err := path.Match(elements[0], e.Name())
		if err != nil || !matched || !e.IsDir() {
			continue
		}
		below := filepath.Join(dir, e.Name())
		var found []inputs.Dir
		if len(elements) == 1 {
			found, err = allDirs(below)
		} else {
			found, err = matchDirs(below, elements[1:])
		}
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, found...)
	}
	return dirs, nil
}

func allDirs(dir string) (dirs []inputs.Dir, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, inputs.Dir{Path: path, Kind: embedDir, Deep: true})
		}
		return err
	})
	return dirs, err
}
