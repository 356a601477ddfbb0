package follow

import (
	"container/heap"
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/pkg/kube/lean"
)

// opened is the log of a container as far as it was written, and its next line.
type opened struct {
	*source
	body  io.ReadCloser
	lines *scanner
	at    time.Time
	text  string
}

// byTime is a heap of logs, the one with the oldest next line first.
type byTime []*opened

func (h byTime) Len() int           { return len(h) }
func (h byTime) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h byTime) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byTime) Push(x any)        { *h = append(*h, x.(*opened)) }
func (h *byTime) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// replay passes on what the containers have written so far, in order of time
// over all of them, holding one line of each.
func (f *follower) replay(ctx context.Context, sources []*source) error {
	logs := make(byTime, len(sources))
	defer func() {
		for _, l := range logs {
			if l != nil {
				l.body.Close()
			}
		}
	}()
	var g errgroup.Group
	g.SetLimit(16) // connections are shared; this bounds the kubelets' work
	for i, s := range sources {
		g.Go(func() error {
			l, err := f.open(ctx, s)
			logs[i] = l
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	logs = slices.DeleteFunc(logs, func(l *opened) bool { return l == nil })
	heap.Init(&logs)
	for len(logs) > 0 {
		l := logs[0]
		l.pass(l.at, l.text, l.reading)
		if err := l.advance(); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			l.body.Close() // what is missing is read when following
			heap.Pop(&logs)
			continue
		}
		heap.Fix(&logs, 0)
	}
	return nil
}

// open opens the log of a container at its first wanted line. It returns nil
// where there is none.
func (f *follower) open(ctx context.Context, s *source) (*opened, error) {
	o := f.options
	if !o.Since.IsZero() {
		s.seam.floor = o.Since.Add(-1)
	}
	part := lean.LogOptions{Since: s.seam.since(), Tail: o.Tail}
	if o.Tail == None {
		part.Tail = 1 // shows where to begin
	}
	body, err := f.client.Log(ctx, o.Namespace, s.pod, s.container, part)
	if err != nil {
		// A container that ended a while ago or is not started has no log.
		if lean.HasCode(err, http.StatusBadRequest) || lean.HasCode(err, http.StatusNotFound) {
			return nil, nil
		}
		return nil, err
	}
	l := &opened{source: s, body: body, lines: newScanner(body, true)}
	if err := l.advance(); err != nil {
		body.Close()
		return nil, ctx.Err()
	}
	switch {
	case o.Tail == None:
		s.seam.floor = l.at
		body.Close()
		return nil, nil
	case o.Tail > 0 && l.at.After(s.seam.floor):
		s.seam.floor = l.at.Add(-1) // the lines before were not asked for
	}
	return l, nil
}

func (l *opened) advance() (err error) {
	l.at, l.text, err = l.lines.next()
	return err
}
