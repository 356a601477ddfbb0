package watch

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

func newCollector(t *testing.T, root string) *collector {
	t.Helper()
	nothing := func(string) error { return nil }
	tr, err := newTree([]string{root}, nil, nothing, nothing)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.add(tr.roots[0], root); err != nil {
		t.Fatal(err)
	}
	return &collector{tree: tr, seen: newSeen()}
}

// TestABatchClosesWhenItIsQuiet goes through the windows on a clock of its own.
func TestABatchClosesWhenItIsQuiet(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a"), "1")
	c := newCollector(t, root)
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	save := func(ms int) { c.take(rawEvent{path: filepath.Join(root, "a"), op: fsnotify.Write}, at(ms)) }
	expect := func(now, want int) {
		t.Helper()
		if got, open := c.closeAt(at(now)); !open || !got.Equal(at(want)) {
			t.Errorf("at %d ms: closes at %v (open %v), want %d ms", now, got.Sub(start), open, want)
		}
	}
	if _, open := c.closeAt(start); open {
		t.Error("a batch is open before anything happened")
	}
	save(0)
	expect(0, 15)
	save(10)
	expect(10, 25)
	for ms := 20; ms <= 495; ms += 5 {
		save(ms)
	}
	expect(496, 500)
}

func TestABulkStaysOpenWhileGitHoldsItsLock(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, ".git", "index.lock"), "")
	c := newCollector(t, root)
	start := time.Now()
	for i := range bulkPaths {
		c.take(rawEvent{path: filepath.Join(root, string(rune('a'+i%26)), string(rune('0'+i/26))), op: fsnotify.Remove}, start)
	}
	if at, _ := c.closeAt(start.Add(time.Second)); at.Before(start.Add(time.Second)) {
		t.Error("the bulk closes while git writes")
	}
	if at, _ := c.closeAt(start.Add(gitBusy)); at.After(start.Add(gitBusy)) {
		t.Error("a lock that nobody holds keeps the bulk open")
	}
	if err := os.Remove(filepath.Join(root, ".git", "index.lock")); err != nil {
		t.Fatal(err)
	}
	if at, _ := c.closeAt(start.Add(time.Second)); at.After(start.Add(bulkRest)) {
		t.Error("the bulk stays open after git has ended")
	}
}

func TestOverflowAsksForARescan(t *testing.T) {
	c := newCollector(t, t.TempDir())
	c.take(rawEvent{overflow: true}, time.Now())
	if b := c.close(); !b.Rescan {
		t.Error("no rescan")
	}
}
