package watch

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// pollEvery is how often a tree without events is compared: soon enough to
// feel alive, rare enough to leave a core idle with ten thousand files.
const pollEvery = 500 * time.Millisecond

// selfTest is how long the kernel may take to report a file made for the
// purpose; it takes less than a millisecond where events work at all.
const selfTest = 200 * time.Millisecond

// eventsWork makes a file in a root and looks for its event. Some shared and
// network file systems accept a watch and never report anything.
func (w *Watcher) eventsWork(ctx context.Context, r root) (bool, error) {
	if err := w.kernel.Add(r.real); err != nil {
		return false, err
	}
	probe, err := os.CreateTemp(r.real, ".zr-watch-*~")
	if err != nil {
		return true, nil // a root that cannot be written to: trust the kernel
	}
	probe.Close()
	defer os.Remove(probe.Name())
	deadline := time.NewTimer(selfTest)
	defer deadline.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-deadline.C:
			return false, nil
		case <-w.signal:
			for _, e := range w.take() {
				if e.path == probe.Name() {
					return true, nil
				}
			}
		}
	}
}

type stamp struct {
	size int64
	mod  time.Time
}

// pollRoot compares a root again and again and reports differences as the
// kernel would.
func (w *Watcher) pollRoot(ctx context.Context, path string) {
	before := w.snapshot(path)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		after := w.snapshot(path)
		for file, s := range after {
			if before[file] != s {
				w.put(rawEvent{path: file, op: fsnotify.Write})
			}
		}
		for file := range before {
			if _, there := after[file]; !there {
				w.put(rawEvent{path: file, op: fsnotify.Remove})
			}
		}
		before = after
	}
}

func (w *Watcher) snapshot(path string) map[string]stamp {
	files := map[string]stamp{}
	real, err := resolve(path)
	if err != nil {
		return files
	}
	r, _ := w.tree.rootOf(real)
	_ = filepath.WalkDir(real, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone while it was read
		}
		if p != real && w.tree.hidden(p, d.IsDir()) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			r.ignore.reload(p)
			return nil
		}
		if info, err := d.Info(); err == nil {
			files[p] = stamp{info.Size(), info.ModTime()}
		}
		return nil
	})
	return files
}
