package livesync

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"zr/internal/agent/wire"
)

// desired is what the container is to hold. Cancelled and lost pushes leave
// their mark in it, so that the next one makes up for them.
type desired struct {
	files    map[string]Source
	dirty    map[string]bool // paths that may differ from what the container holds
	complete bool            // files is all that there is to be; otherwise other files stay
	asked    bool            // there was a Push
	change   Change          // the last one, without its paths

	agreed bool     // the last one ended with an answer
	tree   wire.Sum // what the container held then
}

// adopt adds a change to what is wanted.
func (d *desired) adopt(c Change) {
	if c.Complete {
		d.files = map[string]Source{}
		d.complete = true
		d.agreed = false // everything is compared
	}
	for _, gone := range c.Gone {
		d.dirty[gone] = true
		delete(d.files, gone)
		for p := range d.files {
			if strings.HasPrefix(p, gone+"/") {
				d.dirty[p] = true
				delete(d.files, p)
			}
		}
	}
	for p, source := range c.Files {
		d.files[p] = source
		d.dirty[p] = true
	}
	d.asked = true
	d.change = c
	d.change.Files, d.change.Gone = nil, nil
}

// Push makes a change live: it sends what the container lacks, puts it in
// place, and swaps the process if the change asks for that. A change that did
// not get healthy is no error: Result.Reason says why.
//
// Cancelling ctx ends a transfer at once and leaves the container as it was;
// a swap that has begun goes on until a newer Push replaces it. Either way the
// next Push sends what this one did not.
func (s *Session) Push(ctx context.Context, c Change) (Result, error) {
	begin := time.Now()
	for p := range c.Files {
		if err := wire.CheckPath(p); err != nil {
			return Result{}, fmt.Errorf("pushing: %w", err)
		}
	}
	for _, p := range c.Gone {
		if err := wire.CheckPath(p); err != nil {
			return Result{}, fmt.Errorf("pushing: %w", err)
		}
	}
	s.mu.Lock()
	s.queued = append(s.queued, c) // counts even if ctx ends before its turn
	if s.stopPlay != nil {
		s.stopPlay(ErrSuperseded)
	}
	s.mu.Unlock()
	if err := s.take(ctx); err != nil {
		return Result{}, fmt.Errorf("pushing: %w", err)
	}
	defer s.release()
	s.mu.Lock()
	for _, c := range s.queued {
		s.want.adopt(c)
	}
	s.queued = nil
	s.mu.Unlock()
	r, err := s.converge(ctx, begin, slices.Collect(maps.Keys(c.Files)))
	if err != nil {
		return Result{}, fmt.Errorf("pushing: %w", err)
	}
	return r, nil
}

// replay makes up for the difference that a fresh link shows.
func (s *Session) replay(l *link) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-l.down:
			cancel(errLost) // the next link has its own replay
		case <-ctx.Done():
		}
	}()
	s.mu.Lock()
	s.stopPlay = cancel
	s.mu.Unlock()
	if s.take(ctx) != nil {
		return
	}
	defer s.release()
	s.mu.Lock()
	_, held := l.snapshot()
	due := s.want.asked && !(s.want.agreed && s.want.tree == held.Sum())
	s.want.change.Force = false
	s.mu.Unlock()
	if !due || ctx.Err() != nil {
		return
	}
	r, err := s.converge(ctx, time.Now(), nil)
	if ctx.Err() != nil {
		return // a Push, or the replay of the next link, sends this and more
	}
	if s.opts.OnReplay != nil {
		s.opts.OnReplay(r, err)
	}
}

// attempts is how often a push starts again because the container, or a file
// that is being sent, changed in between. Lost connections do not count.
const attempts = 5

var errChanged = errors.New("the files kept changing while they were sent")

// converge makes the container hold what is wanted.
func (s *Session) converge(ctx context.Context, begin time.Time, named []string) (Result, error) {
	last := errChanged
	for left := attempts; left > 0; {
		l, err := s.connected(ctx)
		if err != nil {
			return Result{}, err
		}
		r, err := s.try(ctx, l, begin, named)
		var changed retryError
		switch {
		case err == nil:
			return r, nil
		case ctx.Err() != nil:
			return Result{}, context.Cause(ctx)
		case errors.Is(err, errLost):
			<-l.down
		case errors.As(err, &changed):
			last = changed.error
			left--
		default:
			return Result{}, err
		}
	}
	return Result{}, last
}

// retryError is a failure that a second look may mend.
type retryError struct{ error }

func (s *Session) try(ctx context.Context, l *link, begin time.Time, named []string) (Result, error) {
	if err := l.settle(ctx); err != nil {
		return Result{}, err
	}
	p, err := s.plan(l)
	if err != nil {
		return Result{}, err
	}
	if p.change.Force && !p.change.Restart {
		p.touch = slices.DeleteFunc(slices.Clone(named), func(path string) bool {
			_, ok := p.target[path]
			return !ok
		})
	}
	if p.nothing() {
		return s.answered(ctx, l, p, begin)
	}
	res, sent, bytes, err := s.transact(ctx, l, p)
	if err != nil {
		return Result{}, err
	}
	r := Result{
		Bytes:   bytes,
		Sent:    sent.Sub(begin),
		Swapped: res.Times.Stopped + res.Times.Started,
		Healthy: res.Times.Healthy,
		Output:  res.Output,
		Build:   res.Status.Build,
		Tree:    res.Status.Tree,
	}
	switch res.Outcome {
	case wire.Done:
		s.agree(res.Status.Tree, true)
		return r, nil
	case wire.RolledBack, wire.Unhealthy:
		s.agree(res.Status.Tree, res.Outcome == wire.Unhealthy)
		r.Reason = res.Error
		r.RolledBack = res.Outcome == wire.RolledBack
		r.Restored = res.Times.Restored
		return r, nil
	case wire.Superseded:
		return Result{}, ErrSuperseded
	case wire.Moved:
		l.moved()
		return Result{}, retryError{errors.New(res.Error)}
	default:
		// A file that was written to while it was sent has another sum than
		// announced.
		return Result{}, retryError{errors.New(res.Error)}
	}
}

// agree notes what the container holds after an answer. Paths whose change
// was taken back stay dirty: the next push brings them along.
func (s *Session) agree(tree wire.Sum, clean bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.want.agreed, s.want.tree = true, tree
	if clean {
		clear(s.want.dirty)
	}
	s.poke()
}

// plan is one transaction.
type plan struct {
	change Change
	target wire.Tree
	files  []outgoing
	gone   []string
	touch  []string
	// restart swaps the process; announce only tells the agent another hash.
	restart, announce bool
}

// outgoing is a file to send.
type outgoing struct {
	path  string
	local string
	content
	was wire.File // what the container holds at the path; zero if nothing
}

func (p plan) nothing() bool {
	return len(p.files) == 0 && len(p.gone) == 0 && len(p.touch) == 0 &&
		!p.restart && !p.announce
}

// plan compares what is wanted with what the container holds. Nothing else
// touches want while the caller has the turn.
func (s *Session) plan(l *link) (plan, error) {
	status, held := l.snapshot()
	s.mu.Lock()
	want := &s.want
	p := plan{change: want.change, target: maps.Clone(held)}
	full := !want.agreed || want.tree != held.Sum()
	s.mu.Unlock()
	if p.target == nil {
		p.target = wire.Tree{}
	}
	look := slices.Collect(maps.Keys(want.dirty))
	if full {
		look = slices.Collect(maps.Keys(want.files))
		for path := range held {
			if _, ok := want.files[path]; !ok && (want.complete || want.removed(path)) {
				look = append(look, path)
			}
		}
	}
	slices.Sort(look)
	for _, path := range look {
		source, ok := want.files[path]
		if !ok {
			p.drop(path, held, want.files)
			continue
		}
		c, err := s.local.look(source.Path)
		if errors.Is(err, fs.ErrNotExist) {
			p.drop(path, held, want.files) // the watcher will say so too
			continue
		}
		if err != nil {
			return plan{}, fmt.Errorf("reading %q: %w", path, err)
		}
		was := held[path]
		f := outgoing{path: path, local: source.Path, content: c, was: was}
		if c.File == was {
			s.keepPrograms([]outgoing{f})
			continue
		}
		p.files = append(p.files, f)
		p.target[path] = c.File
	}
	other := p.change.Build != "" && p.change.Build != status.Build
	p.restart = p.change.Restart && (p.change.Force || len(p.files) > 0 || len(p.gone) > 0 || other)
	p.announce = !p.change.Restart && other
	return p, nil
}

// removed reports whether a path, or a folder above it, was asked to go.
func (d *desired) removed(path string) bool {
	if d.dirty[path] {
		return true
	}
	for gone := range d.dirty {
		if strings.HasPrefix(path, gone+"/") {
			return true
		}
	}
	return false
}

// drop deletes a file, or a folder of files that are not wanted.
func (p *plan) drop(path string, held wire.Tree, want map[string]Source) {
	if _, still := p.target[path]; still {
		p.gone = append(p.gone, path)
		delete(p.target, path)
		return
	}
	for q := range held {
		_, still := p.target[q]
		_, wanted := want[q]
		if still && !wanted && strings.HasPrefix(q, path+"/") {
			p.gone = append(p.gone, q)
			delete(p.target, q)
		}
	}
}

// answered is the result where there is nothing to send. If a swap that a
// lost connection began is still under way, it waits for the verdict.
func (s *Session) answered(ctx context.Context, l *link, p plan, begin time.Time) (Result, error) {
	sum := p.target.Sum()
	for {
		status, changed := l.watch()
		if !p.change.Restart || status.Phase != wire.Starting {
			s.agree(sum, true)
			r := Result{Unchanged: true, Sent: time.Since(begin), Build: status.Build, Tree: sum}
			if status.Phase == wire.Down {
				r.Reason, r.Output = status.Reason, status.Output
			}
			return r, nil
		}
		select {
		case <-changed:
			if s, _ := l.snapshot(); s.RolledBack {
				return Result{}, retryError{errors.New(s.Reason)}
			}
		case <-l.down:
			return Result{}, l.lost()
		case <-ctx.Done():
			return Result{}, context.Cause(ctx)
		}
	}
}
