package agent

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"zr/internal/agent/proc"
	"zr/internal/agent/wire"
)

// How the program of a watcher, such as `node --watch`, is looked after. When it
// ends by itself the watcher stays and waits for a save, which may never come:
// what ended it was perhaps a server that was not there yet.
const (
	// watcherPulse is how often it is looked for.
	watcherPulse = 250 * time.Millisecond
	// watcherLooks in a row must find none: between two saves there is none for
	// a few milliseconds.
	watcherLooks = 3
	// watcherStart is how long a watcher may take to start its program.
	watcherStart = 10 * time.Second
)

// watcher notices that the program of a watcher has ended.
type watcher struct {
	of     *proc.Process
	seen   bool // the program, or what tells that there was one
	absent int  // looks in a row
}

// isWatcher says whether a command runs a program in node's watch mode.
func isWatcher(command []string) bool {
	if len(command) == 0 || path.Base(command[0]) != "node" {
		return false
	}
	for _, arg := range command[1:] {
		if !strings.HasPrefix(arg, "-") {
			return false
		}
		if strings.HasPrefix(arg, "--watch") {
			return true
		}
	}
	return false
}

// ended looks once. A program that was healthy, or of which node has said that it
// ended, was there though nobody saw it.
func (w *watcher) ended(p *proc.Process, healthy bool) bool {
	if p == nil || !p.Running() {
		return false
	}
	if w.of != p {
		*w = watcher{of: p}
	}
	if p.HasChildren() {
		w.seen, w.absent = true, 0
		return false
	}
	w.absent++
	w.seen = w.seen || healthy || slices.ContainsFunc(p.Output(), func(line string) bool {
		return strings.Contains(line, "Failed running ") || strings.Contains(line, "Completed running ")
	})
	return w.absent >= watcherLooks && (w.seen || time.Since(p.Started) > watcherStart)
}

// lookAfter starts the process again where its program ended.
func (e *engine) lookAfter(ctx context.Context) {
	status, _ := e.status.get()
	if e.retry != nil || !e.watcher.ended(e.proc, status.Phase == wire.Healthy) {
		return
	}
	proc.Kill(e.proc)
	e.ended(ctx, "the program ended, and its watcher waited for a save,")
}
