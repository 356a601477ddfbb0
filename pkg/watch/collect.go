package watch

import (
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// When a batch is closed. A save of any editor that was tried is over within
// restWindow of its last event; a person cannot tell longestBatch from "at
// once" when a tool writes on and on.
const (
	restWindow   = 15 * time.Millisecond
	longestBatch = 500 * time.Millisecond
)

// A batch of bulkPaths and more is no typing: a checkout, a generator, an
// unpacked archive. It is worth the wait to see it whole, since what would be
// built in its middle is of no use to anybody.
const (
	bulkPaths   = 100
	bulkRest    = 150 * time.Millisecond
	longestBulk = 10 * time.Second
	// gitBusy is how long a lock of git, which it holds while it writes the
	// tree, keeps a bulk open after the last event.
	gitBusy = 5 * time.Second
)

// collector gathers raw events into the open batch. It belongs to one
// goroutine and is told the time.
type collector struct {
	tree *tree
	seen *seen

	paths       map[string]bool // real path → it was made while the batch was open
	order       []string
	first, last time.Time
	rescan      bool
}

// take adds one raw event that arrived at now.
func (c *collector) take(e rawEvent, now time.Time) {
	if e.overflow {
		c.overflowed(now)
		return
	}
	if e.op == fsnotify.Chmod {
		return
	}
	wasDir := c.tree.isDir(e.path)
	if e.op.Has(fsnotify.Remove) || e.op.Has(fsnotify.Rename) {
		if wasDir {
			c.tree.drop(e.path, e.op.Has(fsnotify.Rename))
		}
		if !c.tree.hidden(e.path, wasDir) {
			c.touch(e.path, false, now)
		}
		return
	}
	if e.op.Has(fsnotify.Create) && c.enter(e.path, now) {
		return
	}
	if !wasDir && !c.tree.hidden(e.path, false) {
		c.touch(e.path, e.op.Has(fsnotify.Create), now)
		c.reloadIgnore(e.path)
	}
}

// enter watches a path that appeared, if it is a folder, and adds the files
// that are in it already.
func (c *collector) enter(path string, now time.Time) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	r, ok := c.tree.rootOf(path)
	if !ok || c.tree.hidden(path, true) {
		return true
	}
	files, err := c.tree.add(r, path)
	if err != nil {
		c.rescan = true // a limit was reached: the consumer compares everything
		c.touch(path, true, now)
	}
	for _, file := range files {
		c.touch(file, true, now)
	}
	return true
}

// reloadIgnore makes a changed ignore file count from now on.
func (c *collector) reloadIgnore(path string) {
	if name := filepath.Base(path); name == gitIgnore || name == zrIgnore {
		if r, ok := c.tree.rootOf(path); ok {
			r.ignore.reload(filepath.Dir(path))
		}
	}
}

// overflowed watches again what is there now: folders may have come unseen.
func (c *collector) overflowed(now time.Time) {
	c.rescan = true
	c.mark(now)
	for _, r := range c.tree.roots {
		_, _ = c.tree.add(r, r.real) // what cannot be watched is still compared
	}
}

func (c *collector) touch(path string, created bool, now time.Time) {
	c.mark(now)
	if c.paths == nil {
		c.paths = map[string]bool{}
	}
	if _, twice := c.paths[path]; !twice {
		c.paths[path] = created
		c.order = append(c.order, path)
	}
}

func (c *collector) mark(now time.Time) {
	if len(c.order) == 0 && c.last.IsZero() {
		c.first = now
	}
	c.last = now
}

// closeAt returns when the open batch is to be closed, if there is one.
func (c *collector) closeAt(now time.Time) (time.Time, bool) {
	if c.last.IsZero() {
		return time.Time{}, false
	}
	rest, longest := restWindow, longestBatch
	if len(c.order) >= bulkPaths {
		rest, longest = bulkRest, longestBulk
		if now.Sub(c.last) < gitBusy && c.gitLocked() {
			return now.Add(bulkRest), true
		}
	}
	at := c.last.Add(rest)
	if end := c.first.Add(longest); at.After(end) {
		at = end
	}
	return at, true
}

func (c *collector) gitLocked() bool {
	for _, r := range c.tree.roots {
		if r.ignore.gitDir == "" {
			continue
		}
		if _, err := os.Lstat(filepath.Join(r.ignore.gitDir, "index.lock")); err == nil {
			return true
		}
	}
	return false
}

// close ends the open batch and returns what became of its paths.
func (c *collector) close() Batch {
	b := Batch{First: c.first, Last: c.last, Rescan: c.rescan}
	for _, path := range c.order {
		info, err := os.Lstat(path)
		switch {
		case err != nil:
			if came := c.paths[path]; c.seen.removed(path) && !came {
				b.Changes = append(b.Changes, Change{Path: c.tree.named(path), Op: Remove})
			}
		case info.IsDir():
		case c.seen.changed(path, info):
			b.Changes = append(b.Changes, Change{Path: c.tree.named(path), Op: Write})
		}
	}
	c.paths, c.order, c.rescan = nil, nil, false
	c.first, c.last = time.Time{}, time.Time{}
	return b
}
