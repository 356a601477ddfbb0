package watch

import (
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// When a batch is closed.
const (
	// restWindow: vim takes less than 1 ms from the first event of a save to
	// the last, measured on a busy machine, and a formatter a few more. A
	// person does not notice 10.
	restWindow = 10 * time.Millisecond
	// wholeWindow is enough for a single quick file that nobody has open for
	// writing any more: it is what its editor wanted it to be. Only after a pause,
	// which is shorter than a person's and longer than that of a tool which writes
	// one file over and over. A file that was not there before may be a step
	// towards another one, so it gets more time than one that was.
	wholeWindow    = 250 * time.Microsecond
	wholeNewWindow = time.Millisecond
	wholeAfter     = 100 * time.Millisecond
	// goneWindow holds a batch in which a file is missing. Several editors
	// move the old file away before they put the new one there; a busy machine
	// may stop them in between, and a build without that file would be wrong.
	goneWindow = 50 * time.Millisecond
	// longestBatch is the end of waiting for a tool that writes on and on.
	longestBatch = 500 * time.Millisecond
)

// A batch of bulkPaths and more is no typing: a generator, an unpacked archive,
// a checkout. What would be built in its middle is of no use to anybody.
const (
	bulkPaths = 100
	bulkRest  = 100 * time.Millisecond
)

// rescanLasts is how long who was told to compare everything may take to read the
// tree: files that came meanwhile are known to it, and not to the collector.
const rescanLasts = time.Minute

// While git writes a tree it holds a lock, and the batch stays open. It holds
// it too while `git commit` waits for an editor: saves beside that must not
// wait, so a small batch is held for as long only as git may take to get going.
const (
	gitStarts  = 2 * time.Second
	gitLongest = 30 * time.Second
)

// collector gathers raw events into the open batch. It belongs to one
// goroutine and is told the time.
type collector struct {
	tree  *tree
	seen  *seen
	fail  func(error)       // told what cannot be watched
	quick func(string) bool // as in Options

	paths       map[string]pending
	entered     map[string]bool // folders that appeared within the batch
	order       []string
	missing     int // paths that were there before the batch and are gone
	first, last time.Time
	before      time.Time // of the last event of the batch before
	rescan      bool
	rescanned   time.Time // when the last batch with a rescan was closed
	locked      time.Time // since when git holds its lock; zero without one
	lost        []root    // roots that are gone
}

// pending is what the events say of a path of the open batch.
type pending struct {
	made   bool // the consumer does not know it yet
	gone   bool
	left   bool // it was gone within the batch
	folder bool // what is gone was a folder
	moved  bool // and left with all in it, of which the kernel says nothing
}

// take adds one raw event.
func (c *collector) take(e rawEvent) {
	switch {
	case e.overflow:
		c.overflowed(e.at)
	case c.tree.isGitLock(e.path):
		c.lock(e)
	case e.op == fsnotify.Chmod && !c.tree.isDir(e.path) && c.enter(e.path, e.at):
		// a folder that could not be read before
	case e.op == fsnotify.Chmod && !c.modeChanged(e.path):
		// touch, or a hard link to it came or went: the content is the same
	case e.op.Has(fsnotify.Remove) || e.op.Has(fsnotify.Rename):
		c.left(e)
	case e.op.Has(fsnotify.Create) && c.enter(e.path, e.at):
	case !c.tree.isDir(e.path) && !c.tree.hidden(e.path, false):
		c.touch(e.path, pending{}, e.at)
		c.reloadIgnore(e.path, e.at)
	}
}

// lock follows git's lock, which is made first and, after the tree is
// written, renamed or removed.
func (c *collector) lock(e rawEvent) {
	if e.op.Has(fsnotify.Create) {
		c.locked = e.at
	} else if e.op.Has(fsnotify.Remove) || e.op.Has(fsnotify.Rename) {
		c.locked = time.Time{}
	}
}

// modeChanged tells chmod from touch. Of a file that was not reported before
// it cannot know: one that was neither written nor linked counts as changed.
func (c *collector) modeChanged(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	_, known := c.seen.files[path]
	return known || onlyAttributes(info)
}

// left takes a path that is gone, or has another name now.
func (c *collector) left(e rawEvent) {
	folder := c.tree.isDir(e.path)
	p := pending{gone: true, folder: folder && !c.entered[e.path]}
	p.moved = p.folder && e.op.Has(fsnotify.Rename)
	hidden := c.tree.hidden(e.path, folder)
	met := c.tree.drop(e.path)
	for _, r := range c.tree.roots {
		if e.path == r.real {
			c.lost = append(c.lost, r)
		}
	}
	if !hidden {
		c.touch(e.path, p, e.at)
		c.reloadIgnore(e.path, e.at)
	}
	for _, dir := range met {
		c.watch(dir, e.at)
	}
	if folder {
		c.enter(e.path, e.at) // one that has its name by now may have told so before
	}
}

// watch watches a folder that has no watch, and adds the files that are in it.
func (c *collector) watch(path string, now time.Time) {
	touch := func(file string) { c.touch(file, pending{}, now) }
	r, ok := c.tree.rootOf(path)
	if !ok || c.tree.hidden(path, true) {
		c.found(now, c.tree.enterAlways(path, touch))
	} else {
		c.found(now, c.tree.add(r, path, touch))
	}
	if ok {
		c.found(now, c.tree.enterIncluded(r, path, touch))
	}
}

// enter watches a path that appeared, if it is a folder, and adds the files
// that are in it already.
func (c *collector) enter(path string, now time.Time) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	if _, ok := c.tree.rootOf(path); ok && !c.tree.hidden(path, true) {
		c.appeared(path)
	}
	c.watch(path, now)
	return true
}

// appeared notes a folder whose name may be that of one that is gone.
func (c *collector) appeared(path string) {
	if p, open := c.paths[path]; open && p.gone {
		c.rescan = c.rescan || p.moved // which files went with the old one is not known
		c.missing -= count(p)
		p.gone = false
		c.paths[path] = p
	} else if !c.tree.isDir(path) {
		if c.entered == nil {
			c.entered = map[string]bool{}
		}
		c.entered[path] = true
	}
}

// include makes folders count, and takes what of them has changed just now.
func (c *collector) include(i *inclusion, now time.Time) {
	c.found(now, c.tree.include(i, func(file string) { c.touch(file, pending{}, now) }))
}

// found has the consumer compare everything where a folder could not be
// watched: what is saved there from now on is not noticed.
func (c *collector) found(now time.Time, err error) {
	if err != nil {
		c.fail(err)
		c.rescan = true
		c.mark(now)
	}
}

// reloadIgnore makes a changed ignore file count from now on.
func (c *collector) reloadIgnore(path string, now time.Time) {
	if r, ok := c.tree.rootOf(path); ok && isIgnoreFile(filepath.Base(path)) {
		c.found(now, c.tree.reload(r, filepath.Dir(path), func(file string) { c.touch(file, pending{}, now) }))
	}
}

// overflowed watches again what is there now: folders may have come unseen.
func (c *collector) overflowed(now time.Time) {
	c.locked = time.Time{} // its end may be among what was lost
	c.rescan = true
	c.mark(now)
	if err := c.tree.again(); err != nil {
		c.fail(err)
	}
}

// regain watches the lost roots that are back, and says whether any is.
func (c *collector) regain(now time.Time) bool {
	still := c.lost[:0]
	for _, r := range c.lost {
		if info, err := os.Stat(r.real); err != nil || !info.IsDir() {
			still = append(still, r)
			continue
		}
		c.rescan = true
		c.mark(now)
		c.found(now, c.tree.add(r, r.real, c.tree.know))
		c.found(now, c.tree.addAlways())
		c.found(now, c.tree.hide(c.tree.know))
		c.tree.addGit()
	}
	back := len(still) < len(c.lost)
	c.lost = still
	return back
}

// touch adds a path to the batch, or what is new of it.
func (c *collector) touch(path string, p pending, now time.Time) {
	c.mark(now)
	if c.paths == nil {
		c.paths = map[string]pending{}
	}
	old, twice := c.paths[path]
	if twice {
		p = pending{made: old.made, gone: p.gone, left: old.left || p.gone, folder: old.folder || p.folder, moved: old.moved || p.moved}
	} else {
		p.made, p.left = !p.folder && !c.tree.knows(path), p.gone
		c.order = append(c.order, path)
	}
	c.paths[path] = p
	c.missing += count(p) - count(old)
}

// count is 1 for a path that was there before the batch and is gone.
func count(p pending) int {
	if p.gone && !p.made {
		return 1
	}
	return 0
}

func (c *collector) mark(now time.Time) {
	if c.last.IsZero() {
		c.first = now
	}
	c.last = now
}

// closeAt returns when the open batch is to be closed, if there is one, or
// looked at again.
func (c *collector) closeAt(now time.Time) (time.Time, bool) {
	if c.last.IsZero() {
		return time.Time{}, false
	}
	bulk := len(c.order) >= bulkPaths
	rest := restWindow
	switch {
	case bulk:
		rest = bulkRest
	case c.missing > 0:
		rest = goneWindow
	case c.first.Sub(c.before) >= wholeAfter && !c.rescan:
		path := c.alone()
		window := wholeWindow
		if c.paths[path].made {
			window = wholeNewWindow
		}
		if path != "" && c.quick(c.tree.named(path)) && (now.Before(c.last.Add(window)) || isWhole(path)) {
			rest = window
		}
	}
	at := c.last.Add(rest)
	if end := c.first.Add(longestBatch); at.After(end) {
		at = end
	}
	if !c.locked.IsZero() {
		held := c.locked.Add(gitStarts)
		if bulk {
			held = c.locked.Add(gitLongest)
		}
		if held.After(at) {
			at = held
		}
	}
	return at, true
}

// alone returns the only path of the batch, beside temporary files that came and
// went within it, or nothing.
func (c *collector) alone() (only string) {
	for _, path := range c.order {
		switch p := c.paths[path]; {
		case p.made && p.gone:
		case only != "":
			return ""
		default:
			only = path
		}
	}
	return only
}

// close ends the open batch and returns what became of its paths, those that
// are gone first: a file may have taken the place of a folder, or the reverse.
func (c *collector) close() Batch {
	b := Batch{First: c.first, Last: c.last, Rescan: c.rescan}
	var written []Change
	unsure := !c.rescanned.IsZero() && c.first.Sub(c.rescanned) < rescanLasts
	for path, p := range c.paths {
		if p.folder || p.left && unsure {
			c.seen.forget(path)
		}
	}
	for _, path := range c.order {
		p := c.paths[path]
		info, err := os.Lstat(path)
		switch {
		case err != nil && p.made && !unsure: // what came and went within the batch is no news
		case err != nil:
			b.Changes = append(b.Changes, c.removed(path))
		case !info.IsDir():
			c.tree.know(path)
			if c.seen.changed(path, info) {
				written = append(written, Change{Path: c.tree.named(path), Op: Write})
			}
		case p.gone && !p.made, p.left && unsure, c.tree.knows(path):
			// A folder took the name of what is gone. What is in it is told too, here
			// or, if its own event is still to come, then.
			b.Changes = append(b.Changes, c.removed(path))
		}
	}
	b.Changes = append(b.Changes, written...)
	if c.rescan {
		c.rescanned = c.last
	}
	c.paths, c.entered, c.order, c.missing, c.rescan = nil, nil, nil, 0, false
	c.first, c.last, c.before = time.Time{}, time.Time{}, c.last
	return b
}

func (c *collector) removed(path string) Change {
	c.tree.unknow(path)
	c.seen.removed(path)
	return Change{Path: c.tree.named(path), Op: Remove}
}
