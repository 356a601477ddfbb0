package gobuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zr/pkg/fault"
)

// suspicious is how long a go command may run before it is asked what it may be
// waiting for. A list takes a tenth of that, and to look costs a walk.
const suspicious = 3 * time.Second

// attended runs a go command, which reads whatever has the name of a Go file: it
// waits for ever for a pipe that nobody writes to. Once it takes long, such a
// file ends it, and is named.
func (t toolchain) attended(ctx context.Context, run func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var blamed error
	looked := make(chan struct{})
	look := time.AfterFunc(suspicious, func() {
		defer close(looked)
		if file := t.irregular(ctx); file != "" {
			blamed = fault.Hint(fmt.Errorf("%s is not a regular file, and the go command waits for what it holds", file),
				"remove it, or give it a name that does not end in .go")
			cancel(blamed)
		}
	})
	err := run(ctx)
	if look.Stop() {
		return err
	}
	<-looked
	if err != nil && blamed != nil && errors.Is(err, blamed) {
		return blamed
	}
	return err
}

// irregular returns a file of the module that has the name of a Go file and is a
// pipe, a socket or a device, or a symlink to one, as it is called from the project.
func (t toolchain) irregular(ctx context.Context) (found string) {
	skipped := []string{".git", "node_modules", "testdata"} // the go command reads nothing there
	_ = filepath.WalkDir(t.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return fs.SkipAll
		case err != nil:
			return nil // what cannot be read is the go command's to tell
		case d.IsDir() && slices.Contains(skipped, d.Name()):
			return fs.SkipDir
		case d.IsDir() || d.Type().IsRegular() || !strings.HasSuffix(d.Name(), ".go"):
			return nil
		}
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			found = path
			return fs.SkipAll
		}
		return nil
	})
	if rel, err := filepath.Rel(t.root, found); err == nil && found != "" {
		return filepath.ToSlash(rel)
	}
	return found
}
