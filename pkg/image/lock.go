package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Lock takes an exclusive lock of a file, which it creates, and waits for it
// until ctx is done. A process that ends loses its locks.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	lock, err := lockFile(ctx, path, true)
	if err != nil {
		return nil, err
	}
	return lock.unlock, nil
}

// A fileLock is a flock(2) held on a file. The kernel drops it with the
// process, so that a killed zr never leaves anything locked.
type fileLock struct{ f *os.File }

// lockFile takes the lock of path, shared or exclusive, and waits for it until
// ctx is done. Two calls in one process exclude each other like two processes.
func lockFile(ctx context.Context, path string, exclusive bool) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking %q: %w", path, err)
	}
	// The lock is held for milliseconds, so polling is cheap, and unlike a
	// blocking flock it can be left.
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		ok, err := tryLock(f, exclusive)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("locking %q: %w", path, err)
		}
		if ok {
			return &fileLock{f}, nil
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("waiting for the lock of %q: %w", path, context.Cause(ctx))
		case <-time.After(wait):
		}
	}
}

func (l *fileLock) unlock() { l.f.Close() }

// tryLock reports whether the lock was free and is now held through f.
func tryLock(f *os.File, exclusive bool) (bool, error) {
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, err
		}
	}
}

// abandoned reports whether no living process holds the lock of path.
func abandoned(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	free, err := tryLock(f, true)
	return free && err == nil
}
