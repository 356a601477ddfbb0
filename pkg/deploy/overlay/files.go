package overlay

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"zr/pkg/bounded"
)

// maxOverlay is how much is read of all files of an overlay together, in bytes.
const maxOverlay = 4 * bounded.Large

// files is the file system that kustomize reads from: regular files within
// bounds, of each what was looked at first, and a list of them.
type files struct {
	filesys.FileSystem
	content map[string][]byte // by absolute path
	total   int
}

func newFiles() *files {
	return &files{FileSystem: filesys.MakeFsOnDisk(), content: map[string][]byte{}}
}

// ReadFile returns the content of a file.
func (f *files) ReadFile(path string) ([]byte, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if content, known := f.content[abs]; known {
		return bytes.Clone(content), nil
	}
	content, err := bounded.ReadFile(abs, bounded.Large)
	if err != nil {
		return nil, err
	}
	if f.total += len(content); f.total > maxOverlay {
		return nil, fmt.Errorf("the files of the overlay have more than %d MiB", maxOverlay>>20)
	}
	f.content[abs] = content
	return bytes.Clone(content), nil
}

// read returns the paths of what was read, sorted.
func (f *files) read() []string {
	var out []string
	for path := range f.content {
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}

// unread says whether an error is of a file that is there and is not read.
func unread(err error) bool {
	return errors.Is(err, bounded.ErrNotRegular) || errors.Is(err, bounded.ErrTooLarge)
}
