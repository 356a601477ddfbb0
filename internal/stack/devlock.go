package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"zr/pkg/cluster/statedir"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// A file that whoever changes an environment holds locked keeps two of them,
// from one checkout or from two, from pulling it to and fro on this machine.
func devLockPath(set string) (string, error) {
	dir, err := statedir.Dir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "dev-"+set), nil
}

// holder is who holds the file, as it says itself, for messages only.
type holder struct {
	PID      int    `json:"pid"`
	Verb     string `json:"verb"` // "dev", "up" or "down"
	Checkout string `json:"checkout"`
}

// lockInterval is how often a lock is tried that another run holds.
const lockInterval = 100 * time.Millisecond

// lockDev makes this the one zr that changes the environment on this machine,
// until unlock is called or the process ends.
func (s *Stack) lockDev() (unlock func(), err error) {
	f, by, err := s.tryLock("dev")
	switch {
	case err != nil:
		return nil, err
	case f != nil:
		return func() { f.Close() }, nil
	case by.Verb == "dev":
		return nil, fault.Hint(fmt.Errorf("`zr dev` runs already for %s, as %s", s.set(), s.who(by)), "use that one, or end it with Ctrl-C")
	}
	return nil, fault.Hint(fmt.Errorf("`zr %s` is at work on %s, as %s", by.Verb, s.set(), s.who(by)), "wait until it has ended, and try again")
}

// lockRun does the same for `zr up` and `zr down`, which wait for each other. Beside
// a `zr dev`, which keeps the environment in step by itself, they are refused.
func (s *Stack) lockRun(ctx context.Context, verb string) (unlock func(), err error) {
	for told := false; ; told = true {
		f, by, err := s.tryLock(verb)
		if err != nil {
			return nil, err
		}
		if f != nil {
			return func() { f.Close() }, nil
		}
		if by.Verb == "dev" {
			return nil, fault.Hint(fmt.Errorf("`zr dev` runs for %s, as %s, and keeps it in step with what is saved", s.set(), s.who(by)),
				"let it: a save of the manifests or of the configuration is applied by it; or end it with Ctrl-C first")
		}
		if !told {
			s.sink.Emit(event.Notice{Text: fmt.Sprintf("`zr %s` is at work on %s, as %s; waiting for it", by.Verb, s.set(), s.who(by))})
		}
		if pause(ctx, lockInterval); ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// tryLock returns the locked file, or who else has it.
func (s *Stack) tryLock(verb string) (*os.File, holder, error) {
	path, err := devLockPath(s.set())
	if err != nil {
		return nil, holder{}, err
	}
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, holder{}, fmt.Errorf("locking environment %q: %w", s.set(), err)
		}
		if lockFile(f) != nil {
			var by holder
			_ = json.NewDecoder(f).Decode(&by) // it may just be written
			f.Close()
			return nil, by, nil
		}
		if !isAt(f, path) { // a purge removed it meanwhile
			f.Close()
			continue
		}
		_ = f.Truncate(0)
		_ = json.NewEncoder(f).Encode(holder{os.Getpid(), verb, s.cfg.Root})
		return f, holder{}, nil
	}
}

// isAt says whether an open file is still the one at its path.
func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && os.SameFile(open, now)
}

// who names the process that holds the lock, and its folder where that is not
// this checkout.
func (s *Stack) who(by holder) string {
	if by.Checkout == "" || by.Checkout == s.cfg.Root {
		return fmt.Sprintf("process %d", by.PID)
	}
	return fmt.Sprintf("process %d in %s", by.PID, by.Checkout)
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
