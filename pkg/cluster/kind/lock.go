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
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			// The file stays: removing it would let two processes hold it.
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, err
		}
		if !told {
			sink.Emit(event.Notice{Text: fmt.Sprintf("another zr is at work on cluster %q; waiting for it", p.opts.Name)})
		}
		select {
		case <-time.After(lockInterval):
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		}
	}
}
