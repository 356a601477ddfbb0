package watch

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/fsnotify/fsnotify"

	"zr/internal/testkit"
	"zr/pkg/event"
)

// deaf is a kernel that accepts every watch and reports nothing, like some
// shared file systems.
type deaf struct {
	events chan fsnotify.Event
	errors chan error
}

func (d *deaf) Add(string) error    { return nil }
func (d *deaf) Remove(string) error { return nil }
func (d *deaf) Close() error {
	close(d.events)
	close(d.errors)
	return nil
}

// notices is a sink that keeps what was said.
type notices struct {
	mu  sync.Mutex
	all []event.Notice
}

func (n *notices) Emit(e event.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if notice, ok := e.(event.Notice); ok {
		n.all = append(n.all, notice)
	}
}

func (n *notices) text() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var b strings.Builder
	for _, notice := range n.all {
		b.WriteString(notice.Text + "\n" + notice.Hint + "\n")
	}
	return b.String()
}

func TestPollingStandsInForEvents(t *testing.T) {
	root := t.TempDir()
	testkit.WriteFile(t, filepath.Join(root, "old"), "1")
	testkit.WriteFile(t, filepath.Join(root, gitIgnore), "*.log\n")
	synctest.Test(t, func(t *testing.T) {
		said := &notices{}
		d := &deaf{make(chan fsnotify.Event), make(chan error)}
		w, err := newWatcher(Options{Roots: []string{root}, Sink: said}, d, d.events, d.errors)
		must(t, err)
		must(t, w.start(t.Context()))
		if !strings.Contains(said.text(), "file events do not work in "+root) {
			t.Errorf("nothing is said: %q", said.text())
		}
		ctx, cancel := context.WithCancel(t.Context())
		batches, ended := make(chan Batch, 10), make(chan struct{})
		go func() {
			defer close(ended)
			_ = w.Run(ctx, func(b Batch) { batches <- b })
		}()
		synctest.Wait()
		for _, c := range []struct {
			change func()
			want   Change
		}{
			{func() { testkit.WriteFile(t, filepath.Join(root, "d", "new"), "1") }, Change{filepath.Join(root, "d", "new"), Write}},
			{func() { testkit.WriteFile(t, filepath.Join(root, "d", "new"), "longer") }, Change{filepath.Join(root, "d", "new"), Write}},
			{func() { must(t, os.RemoveAll(filepath.Join(root, "d"))) }, Change{filepath.Join(root, "d", "new"), Remove}},
			{func() { must(t, os.Remove(filepath.Join(root, "old"))) }, Change{filepath.Join(root, "old"), Remove}},
		} {
			testkit.WriteFile(t, filepath.Join(root, "ignored.log"), "x")
			c.change()
			if b := <-batches; len(b.Changes) != 1 || b.Changes[0] != c.want {
				t.Errorf("got %v, want %v", b.Changes, c.want)
			}
		}
		cancel()
		<-ended
	})
}
