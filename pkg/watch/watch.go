// Package watch turns the file events of a source tree into batches of changed paths.
// One batch is what a person would call one change: the save of one file by an editor
// that writes, renames and deletes four, or a git checkout of ten thousand.
package watch

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"zr/pkg/event"
	"zr/pkg/fault"
)

// Op is what became of a path, as found when its batch was closed.
type Op uint8

// What became of a path.
const (
	// Write: the file is there, new or with other content, in the place of
	// whatever had its name, be it a folder with all in it.
	Write Op = iota
	// Remove: it is gone, a file or a folder with all in it.
	Remove
)

// Change is one path of a batch.
type Change struct {
	Path string // absolute, below the root as it was given
	Op   Op
}

// Batch is what changed in one go, each path once, what is gone first: a
// folder may have taken the place of a file.
type Batch struct {
	Changes []Change
	// First and Last are when the first and the last event arrived.
	First, Last time.Time
	// Rescan says that Changes is not complete, and the tree has to be compared by
	// content. The kernel dropped events, or a folder took the name of one that was
	// moved away with what was in it, or a folder cannot be watched.
	Rescan bool
}

// Options of a Watcher.
type Options struct {
	// Roots are the folders to watch, with all below them. A root that is a
	// symlink is followed; links inside are not.
	Roots []string
	// Always are files that are watched even though an ignore file names them,
	// such as git-ignored secrets. They need not exist yet; their folders must.
	// See Include for what is known later.
	Always []string
	// Quick says of a file that it does no harm to take it alone, where others
	// would have followed some milliseconds later: no compiler runs for it. Its
	// batch is closed at once when it is whole. May be nil. It is called from the
	// goroutine of Run.
	Quick func(path string) bool
	// Sink hears when polling has to stand in for events, and when a folder
	// that came later cannot be watched.
	Sink event.Sink
}

// Watcher watches until its Run returns. A Watcher is for one Run.
type Watcher struct {
	sink   event.Sink
	quick  func(path string) bool
	kernel kernel
	events <-chan fsnotify.Event
	errors <-chan error
	tree   *tree
	poll   []polled // roots of which the kernel does not tell all

	mu      sync.Mutex
	raw     []rawEvent
	include *inclusion // that Run has not looked at yet
	signal  chan struct{}
}

// polled is a root with the files that were there at the start.
type polled struct {
	root
	files map[string]stamp
}

// kernel is what is used of an *fsnotify.Watcher beside its channels.
type kernel interface {
	Add(path string) error
	Remove(path string) error
	Close() error // closes the channels as well
}

type rawEvent struct {
	path     string
	op       fsnotify.Op
	overflow bool
	at       time.Time // when it was read from the kernel
}

// kernelBuffer is how many events may wait between the kernel's reader and the
// goroutine that drains it: enough that neither has to switch for each event.
const kernelBuffer = 1024

// lostRootEvery is how often a root that was deleted or moved away is looked
// for.
const lostRootEvery = 250 * time.Millisecond

// New watches every folder below the roots that no ignore file excludes. When
// it returns, no later change is missed. It fails with a fault that names the
// sysctl where a limit of the kernel is too low.
func New(ctx context.Context, o Options) (*Watcher, error) {
	k, err := newKernel()
	if err != nil {
		return nil, limitFault(fmt.Errorf("watching files: %w", err), 0)
	}
	w, err := newWatcher(o, k, k.Events, k.Errors)
	if err == nil {
		err = w.start(ctx)
	}
	if err != nil {
		k.Close()
		return nil, err
	}
	return w, nil
}

func newKernel() (*fsnotify.Watcher, error) { return fsnotify.NewBufferedWatcher(kernelBuffer) }

func newWatcher(o Options, k kernel, events <-chan fsnotify.Event, errors <-chan error) (*Watcher, error) {
	t, err := newTree(o.Roots, o.Always, k.Add, k.Remove)
	if err != nil {
		return nil, err
	}
	if o.Sink == nil {
		o.Sink = event.Discard
	}
	if o.Quick == nil {
		o.Quick = func(string) bool { return false }
	}
	return &Watcher{sink: o.Sink, quick: o.Quick, kernel: k, events: events, errors: errors, tree: t, signal: make(chan struct{}, 1)}, nil
}

// start watches the roots. The events of a root are tried before it is walked.
func (w *Watcher) start(ctx context.Context) error {
	go w.drain()
	for _, r := range w.tree.roots {
		works, err := w.eventsWork(ctx, r)
		if err != nil {
			return limitFault(fmt.Errorf("watching %q: %w", r.path, err), len(w.tree.dirs))
		}
		if works {
			if err := w.tree.add(r, r.real, w.tree.know); err != nil {
				return limitFault(err, len(w.tree.dirs))
			}
		}
		if kind, remote := sharedMount(r.real); !works || remote {
			files := w.snapshot(r)
			for file := range files {
				w.tree.know(file)
			}
			w.poll = append(w.poll, polled{r, files})
			w.sink.Emit(pollNotice(r.path, kind, works))
		}
	}
	w.tree.addGit()
	return w.tree.addAlways()
}

// Run calls f with each batch until ctx ends; then it releases everything and
// returns the context's error. f is called from one goroutine; while it runs,
// later changes are collected.
func (w *Watcher) Run(ctx context.Context, f func(Batch)) error {
	defer w.kernel.Close()
	for _, p := range w.poll {
		go w.pollRoot(ctx, p.root, p.files)
	}
	c := collector{tree: w.tree, seen: newSeen(), fail: w.unwatched(), quick: w.quick}
	closing := time.NewTimer(time.Hour)
	defer closing.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.signal:
			if i := w.takeInclusion(); i != nil {
				c.include(i, time.Now())
			}
			for _, e := range w.take() {
				c.take(e)
			}
		case <-closing.C:
		}
		if len(c.lost) > 0 && !c.regain(time.Now()) {
			closing.Reset(lostRootEvery)
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

// unwatched tells the user of each folder that cannot be watched, once per
// cause: a limit that is reached is reached for every further folder.
func (w *Watcher) unwatched() func(error) {
	told := map[string]bool{}
	return func(err error) {
		err = limitFault(err, len(w.tree.dirs))
		if hint := fault.HintOf(err); !told[hint] {
			told[hint] = true
			w.sink.Emit(event.Notice{Text: err.Error() + ": saves there are not noticed", Hint: hint})
		}
	}
}

// drain empties the kernel's queue as fast as it fills and leaves thinking to
// the goroutine of Run.
func (w *Watcher) drain() {
	for {
		select {
		case e, ok := <-w.events:
			if !ok {
				return
			}
			w.put(rawEvent{path: filepath.Clean(e.Name), op: e.Op, at: time.Now()})
		case _, ok := <-w.errors:
			if !ok {
				return
			}
			// Whatever the reader's error is, events may be missing.
			w.put(rawEvent{overflow: true, at: time.Now()})
		}
	}
}

// put leaves out what says nothing new: a large file that is written reports
// every block.
func (w *Watcher) put(e rawEvent) {
	w.mu.Lock()
	if last := len(w.raw) - 1; last >= 0 && w.raw[last].path == e.path && w.raw[last].op == e.op && w.raw[last].overflow == e.overflow {
		w.raw[last].at = e.at
	} else {
		w.raw = append(w.raw, e)
	}
	w.mu.Unlock()
	w.wake()
}

func (w *Watcher) wake() {
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
