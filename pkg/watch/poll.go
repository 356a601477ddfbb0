package watch

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"zr/pkg/event"
)

// pollEvery is how often a tree without events is compared: soon enough to
// feel alive. A tree that takes long to compare is compared less often, so
// that it takes a pollShare-th of one core at the most.
const (
	pollEvery = 500 * time.Millisecond
	pollShare = 20
)

// selfTest is how long the kernel may take to report a file made for the
// purpose. It takes well below a millisecond where events work at all; the
// rest is for a machine that is busy with something else.
const selfTest = 200 * time.Millisecond

// eventsWork makes a file in a root and looks for its event. Some file systems
// accept a watch and never report anything.
func (w *Watcher) eventsWork(ctx context.Context, r root) (bool, error) {
	if err := w.kernel.Add(r.real); err != nil {
		return false, err
	}
	probe, err := os.CreateTemp(r.real, ".zr-watch-*~") // a name that every watcher takes for an editor's
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

func pollNotice(path, kind string, eventsWork bool) event.Notice {
	n := event.Notice{Hint: "a folder on a local disk notices saves at once"}
	switch {
	case !eventsWork:
		n.Text = fmt.Sprintf("file events do not work in %s, so it is compared every %v", path, pollEvery)
	default:
		n.Text = fmt.Sprintf("%s is on a shared file system (%s), which does not tell of saves made elsewhere, so it is also compared every %v", path, kind, pollEvery)
	}
	return n
}

type stamp struct {
	size int64
	mod  time.Time
	mode fs.FileMode
}

// pollRoot compares a root with what it was, again and again, and reports
// differences as the kernel would.
func (w *Watcher) pollRoot(ctx context.Context, r root, before map[string]stamp) {
	for {
		begin := time.Now()
		after := w.snapshot(r)
		w.report(before, after)
		before = after
		pause := time.NewTimer(max(pollEvery, pollShare*time.Since(begin)))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

func (w *Watcher) report(before, after map[string]stamp) {
	now := time.Now()
	for file, s := range after {
		if old, known := before[file]; !known {
			w.put(rawEvent{path: file, op: fsnotify.Create, at: now})
		} else if old != s {
			w.put(rawEvent{path: file, op: fsnotify.Write, at: now})
		}
	}
	for file := range before {
		if _, there := after[file]; !there {
			w.put(rawEvent{path: file, op: fsnotify.Remove, at: now})
		}
	}
}

// snapshot returns the stamps of the files of a root.
func (w *Watcher) snapshot(r root) map[string]stamp {
	files := map[string]stamp{}
	layers := map[string][]layer{}
	_ = filepath.WalkDir(r.real, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone while it was read
		}
		if p != r.real && !w.tree.visible(layers[filepath.Dir(p)], p, d.IsDir()) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			r.ignore.reload(p)
			layers[p] = r.ignore.layers(p)
			return nil
		}
		if info, err := d.Info(); err == nil {
			files[p] = stamp{info.Size(), info.ModTime(), info.Mode()}
		}
		return nil
	})
	w.tree.stampIncluded(r, files)
	return files
}
