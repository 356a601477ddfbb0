package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"zr/pkg/cluster/statedir"
	"zr/pkg/fault"
)

// A file that `zr dev` holds locked for itself, and `zr up` and `zr down` with
// each other, keeps them from pulling an environment to and fro on this machine.
func devLockPath(set string) (string, error) {
	dir, err := statedir.Dir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "dev-"+set), nil
}

// lockDev makes this the one zr that changes the environment on this machine,
// until unlock is called or the process ends.
func (s *stack) lockDev() (unlock func(), err error) {
	f, err := openDevLock(s.set())
	if err != nil {
		return nil, err
	}
	if lockFile(f) == nil {
		_ = f.Truncate(0) // the number is for messages only
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
		return func() { f.Close() }, nil
	}
	defer f.Close()
	if shareFile(f) == nil {
		return nil, fault.Hint(fmt.Errorf("`zr up` or `zr down` is at work on %s", s.set()), "wait until it has ended, and try again")
	}
	return nil, fault.Hint(fmt.Errorf("`zr dev` runs already for %s, as process %s", s.set(), holder(f)), "use that one, or end it with Ctrl-C")
}

// besideDev refuses to change an environment that a `zr dev` of this machine
// keeps in step, and keeps one from beginning until unlock is called.
func (s *stack) besideDev() (unlock func(), err error) {
	f, err := openDevLock(s.set())
	if err != nil {
		return nil, err
	}
	if shareFile(f) != nil {
		defer f.Close()
		return nil, fault.Hint(fmt.Errorf("`zr dev` runs for %s, as process %s, and keeps it in step with what is saved", s.set(), holder(f)),
			"let it: a save of the manifests or of the configuration is applied by it; or end it with Ctrl-C first")
	}
	return func() { f.Close() }, nil
}

func openDevLock(set string) (*os.File, error) {
	path, err := devLockPath(set)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking environment %q: %w", set, err)
	}
	return f, nil
}

// holder is the process that holds the file for itself.
func holder(f *os.File) string {
	pid := make([]byte, 16)
	n, _ := f.ReadAt(pid, 0)
	return strings.TrimSpace(string(pid[:n]))
}

// forgetDevLock removes the file of an environment that is gone.
func forgetDevLock(set string) error {
	path, err := devLockPath(set)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the lock of environment %q: %w", set, err)
	}
	return nil
}
