package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"zr/pkg/cluster/statedir"
	"zr/pkg/event"
)

// lockInterval is how often a lock that another zr holds is tried again.
const lockInterval = 200 * time.Millisecond

// lock keeps other processes of zr from changing the cluster until unlock is
// called or this process ends, however it does.
func (p *provider) lock(ctx context.Context, sink event.Sink) (unlock func(), err error) {
	path, err := statedir.Lock(p.opts.Name)
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		f, err := tryLock(path)
		if err != nil {
			return nil, err
		}
		if f != nil {
			return func() { f.Close() }, nil
		}
		if !told {
			sink.Emit(event.Notice{Text: fmt.Sprintf("another zr is at work on cluster %q; waiting for it", p.opts.Name)})
		}
		select {
		case <-time.After(lockInterval):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tryLock returns the file that is locked now, or nil where another process has
// it. A file that was removed meanwhile, by who deleted the cluster, is nobody's
// lock any more.
func tryLock(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				err = nil
			}
			return nil, err
		}
		held, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, err
		}
		if named, err := os.Stat(path); err == nil && os.SameFile(held, named) {
			return f, nil
		}
		f.Close()
	}
}

// forgetLock removes the file of the lock that this process holds, as the last
// thing that it does under it: another may take a new one from then on. It stays
// where it cannot be removed, which costs nobody anything.
func (p *provider) forgetLock() {
	if path, err := statedir.Lock(p.opts.Name); err == nil {
		_ = os.Remove(path)
	}
}
