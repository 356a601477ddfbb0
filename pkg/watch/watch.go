// Package watch turns the file events of a source tree into batches of changed
// paths: one batch for what a person would call one change, be it the save of
// one file by an editor that writes, renames and deletes four, or a git
// checkout of ten thousand.
package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"zr/pkg/event"
	"zr/pkg/fault"
)

// Op is what became of a path, as found when its batch was closed.
type Op uint8

// What became of a path.
const (
	Write  Op = iota // it is there, new or with other content
	Remove           // it is gone: a file, or a folder with all in it
)

// Change is one path of a batch.
type Change struct {
	Path string // absolute, below the root as it was given
	Op   Op
}

// Batch is what changed in one go, each path once.
type Batch struct {
	Changes []Change
	// First and Last are when the first and the last event arrived.
	First, Last time.Time
	// Rescan says that the kernel dropped events: Changes is not complete, and
	// the tree has to be compared by content.
	Rescan bool
}

// Options of a Watcher.
type Options struct {
	// Roots are the folders to watch, with all below them. A root that is a
	// symlink is followed; links inside are not.
	Roots []string
	// Always are files that are watched even though an ignore file names them,
	// such as git-ignored secrets. They need not exist yet; their folders must.
	Always []string
	// Sink hears when polling has to stand in for events.
	Sink event.Sink
}

// Watcher watches until its Run returns. A Watcher is for one Run.
type Watcher struct {
	sink   event.Sink
	kernel *fsnotify.Watcher
	tree   *tree
	poll   []string // roots on which events do not work

	mu     sync.Mutex
	raw    []rawEvent
	signal chan struct{}
}

type rawEvent struct {
	path     string
	op       fsnotify.Op
	overflow bool
}

// kernelBuffer is how many events may wait between the kernel's reader and the
// goroutine that drains it: enough that neither has to switch for each event.
const kernelBuffer = 1024

// New watches every folder below the roots that no ignore file excludes. When
// it returns, no later change is missed. It fails with a fault that names the
// sysctl where a limit of the kernel is too low.
func New(ctx context.Context, o Options) (*Watcher, error) {
	if o.Sink == nil {
		o.Sink = event.Discard
	}
	kernel, err := fsnotify.NewBufferedWatcher(kernelBuffer)
	if err != nil {
		return nil, limitFault(fmt.Errorf("watching files: %w", err))
	}
	w := &Watcher{sink: o.Sink, kernel: kernel, signal: make(chan struct{}, 1)}
	if w.tree, err = newTree(o.Roots, o.Always, kernel.Add, kernel.Remove); err == nil {
		err = w.start(ctx)
	}
	if err != nil {
		kernel.Close()
		return nil, limitFault(err)
	}
	return w, nil
}

func (w *Watcher) start(ctx context.Context) error {
	go w.drain()
	for _, r := range w.tree.roots {
		if err := ctx.Err(); err != nil {
			return err
		}
		works, err := w.eventsWork(ctx, r)
		if err != nil {
			return err
		}
		if !works {
			w.poll = append(w.poll, r.path)
			w.sink.Emit(event.Notice{
				Text: fmt.Sprintf("file events do not work in %s, so it is compared every %v", r.path, pollEvery),
				Hint: "a network or shared folder? a local one notices saves at once",
			})
			continue
		}
		if _, err := w.tree.add(r, r.path); err != nil {
			return fmt.Errorf("watching %q: %w", r.path, err)
		}
	}
	return w.tree.addAlways()
}

// Run calls f with each batch until ctx ends; then it releases everything and
// returns the context's error. f is called from one goroutine; while it runs,
// later changes are collected.
func (w *Watcher) Run(ctx context.Context, f func(Batch)) error {
	defer w.kernel.Close()
	for _, root := range w.poll {
		go w.pollRoot(ctx, root)
	}
	c := collector{tree: w.tree, seen: newSeen()}
	closing := time.NewTimer(time.Hour)
	defer closing.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.signal:
			now := time.Now()
			for _, e := range w.take() {
				c.take(e, now)
			}
		case <-closing.C:
		}
		at, open := c.closeAt(time.Now())
		if !open {
			continue
		}
		if wait := time.Until(at); wait > 0 {
			closing.Reset(wait)
			continue
		}
		if b := c.close(); len(b.Changes) > 0 || b.Rescan {
			f(b)
		}
	}
}

// drain empties the kernel's queue as fast as it fills and leaves thinking to
// the goroutine of Run.
func (w *Watcher) drain() {
	for {
		select {
		case e, ok := <-w.kernel.Events:
			if !ok {
				return
			}
			w.put(rawEvent{path: e.Name, op: e.Op})
		case err, ok := <-w.kernel.Errors:
			if !ok {
				return
			}
			// Any error of the reader means that events may be missing.
			w.put(rawEvent{overflow: err != nil})
		}
	}
}

func (w *Watcher) put(e rawEvent) {
	w.mu.Lock()
	w.raw = append(w.raw, e)
	w.mu.Unlock()
	select {
	case w.signal <- struct{}{}:
	default:
	}
}

func (w *Watcher) take() []rawEvent {
	w.mu.Lock()
	defer w.mu.Unlock()
	raw := w.raw
	w.raw = nil
	return raw
}

// limitFault adds the sysctl to an error that comes from a limit of inotify.
func limitFault(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fault.Hint(err, "the kernel's limit of watched folders is reached: sudo sysctl fs.inotify.max_user_watches=524288")
	case errors.Is(err, syscall.EMFILE):
		return fault.Hint(err, "the kernel's limit of watchers is reached: sudo sysctl fs.inotify.max_user_instances=512")
	}
	return err
}

// resolve returns the real path of a folder.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is not a folder", path)
	}
	return real, nil
}
