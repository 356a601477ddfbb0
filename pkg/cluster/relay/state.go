package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// State is a relay that runs.
type State struct {
	PID   int    `json:"pid"`
	Ports []Port `json:"ports"`
}

// errRunning says that another process relays for this environment.
var errRunning = errors.New("a relay runs already")

// Running returns the relay that holds the file at path, or nil where none does.
// The kernel says which process that is, so that no other is ever taken for it.
func Running(path string) (*State, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the relay: %w", err)
	}
	defer f.Close()
	lock := whole(syscall.F_WRLCK)
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock); err != nil {
		return nil, fmt.Errorf("looking for the relay: asking who locks %q: %w", path, err)
	}
	if lock.Type == syscall.F_UNLCK {
		return nil, nil
	}
	s := &State{}
	text, err := io.ReadAll(f)
	if err == nil && len(text) > 0 { // one that begins has written nothing yet
		err = json.Unmarshal(text, s)
	}
	s.PID = int(lock.Pid)
	if err != nil {
		return nil, fmt.Errorf("looking for the relay: reading %q: %w", path, err)
	}
	return s, nil
}

// whole is a lock of all of a file.
func whole(kind int16) syscall.Flock_t { return syscall.Flock_t{Type: kind, Whence: io.SeekStart} }

// hold locks the file at path for this process until it is closed, or says
// errRunning. A process may open the file once only: closing any of its
// descriptors gives up the lock.
func hold(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		lock := whole(syscall.F_WRLCK)
		err = syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &lock)
		if err == nil {
			var mine, named os.FileInfo
			if mine, err = f.Stat(); err == nil {
				named, err = os.Stat(path)
			}
			if err == nil && os.SameFile(mine, named) {
				return f, nil
			}
			f.Close()
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				continue // the one before removed it as it ended
			}
			return nil, err
		}
		f.Close()
		if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
			return nil, errRunning
		}
		return nil, err
	}
}

// Claim makes this process the relay of the file at path, with these ports. The
// returned function gives that up.
func Claim(path string, ports []Port) (release func(), err error) {
	f, err := hold(path)
	if err != nil {
		return nil, fmt.Errorf("claiming %q: %w", path, err)
	}
	text, err := json.Marshal(State{os.Getpid(), ports})
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(text, 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("claiming %q: %w", path, err)
	}
	return func() {
		os.Remove(path) // while it is locked, so that it is nobody else's
		f.Close()
	}, nil
}

// endPatience is how long a relay may take to end when it is told to: it closes
// its connections and does nothing else.
const endPatience = 5 * time.Second

// Stop ends the relay of the file at path, and removes the file. It returns the
// relay that it ended, or nil where none ran.
func Stop(ctx context.Context, path string) (*State, error) {
	s, err := Running(path)
	if err != nil {
		return nil, err
	}
	if s != nil {
		if err := end(ctx, path, s.PID); err != nil {
			return nil, fmt.Errorf("ending the relay, process %d: %w", s.PID, err)
		}
	}
	if f, err := hold(path); err == nil { // what one that was killed left
		os.Remove(path)
		f.Close()
	}
	return s, nil
}

func end(ctx context.Context, path string, pid int) error {
	kill := time.After(endPatience)
	signal := syscall.SIGTERM
	for {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		for waiting := true; waiting; {
			if s, err := Running(path); err != nil || s == nil || s.PID != pid {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-kill:
				signal, waiting = syscall.SIGKILL, false
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
}
