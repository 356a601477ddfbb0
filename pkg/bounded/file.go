// Package bounded reads what a project holds without being hurt by it: regular
// files only, so that no read waits for ever or never ends, no more of a file
// than a limit, and no YAML that is much more than it looks.
package bounded

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ErrNotRegular says that a path leads to a device, a pipe, a socket or a
// folder, which may never end, or never begin.
var ErrNotRegular = errors.New("not a regular file")

// ErrTooLarge says that a file is larger than what is read of its kind.
var ErrTooLarge = errors.New("too large")

// The most that is read of files of one kind, in bytes.
const (
	// Text is for what people write: a configuration, an ignore file, a
	// package.json. Kubernetes takes no more in one object either.
	Text = 1 << 20
	// Large is for what tools write: lock files, manifests with the schemas of
	// custom resources. The largest that were seen have 5 MB.
	Large = 16 << 20
)

// Open opens a regular file for reading. It follows symlinks, never waits, and
// returns ErrNotRegular for anything else, which it does not open: opening is
// enough to start what some devices do.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := regular(path, info); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = regular(path, info) // it may have been replaced since
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func regular(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	return nil
}

// ReadFile returns the content of a regular file of at most limit bytes. For
// another one the error is an fs.PathError of ErrNotRegular or ErrTooLarge.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	tooLarge := &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("%w: more than %d MiB", ErrTooLarge, limit>>20)}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, tooLarge
	}
	// A file of the kernel says that it is empty, and one may grow.
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(content)) > limit {
		return nil, tooLarge
	}
	return content, err
}
