package livesync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"zr/pkg/agentspec/wire"
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

	proven []proven // versions that got healthy, oldest first
	back   wire.Sum // the last change was taken back to this tree; zero where it was not
}

// proven is a version that ran in the container.
type proven struct {
	files wire.Tree
	build string
}

// provenVersions is how many are remembered: the newest may yet be taken back
// on its trial, and the one before it as well.
const provenVersions = 3

// prove notes that a version got healthy. It returns the sums of the programs
// of all that are remembered.
func (d *desired) prove(files wire.Tree, build string) (programs []wire.Sum) {
	if n := len(d.proven); n > 0 && d.proven[n-1].files.Sum() == files.Sum() {
		d.proven = d.proven[:n-1]
	}
	d.proven = append(d.proven, proven{files, build})
	d.proven = d.proven[max(0, len(d.proven)-provenVersions):]
	for _, v := range d.proven {
		for _, f := range v.files {
			if f.Exec {
				programs = append(programs, f.Sum)
			}
		}
	}
	return programs
}

// takenBack returns the version that the container went back to.
func (d *desired) takenBack() (proven, bool) {
	i := slices.IndexFunc(d.proven, func(v proven) bool { return v.files.Sum() == d.back })
	if d.back.IsZero() || i < 0 {
		return proven{}, false
	}
	return d.proven[i], true
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
func (s *Client) Push(ctx context.Context, c Change) (Result, error) {
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
	named := slices.Collect(maps.Keys(c.Files))
	r, err := s.converge(ctx, func(conn *connection) (Result, error) { return s.try(ctx, conn, begin, named) })
	if err != nil {
		return Result{}, fmt.Errorf("pushing: %w", err)
	}
	return r, nil
}

// replay makes up for the difference that a fresh connection shows. Where the last
// change was taken back in the container before, the version that ran there
// is brought, and not that change a second time.
func (s *Client) replay(conn *connection) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-conn.down:
			cancel(errLost) // the next connection has its own replay
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
	_, held := conn.snapshot()
	due := s.want.asked && !(s.want.agreed && s.want.tree == held.Sum())
	s.want.change.Force = false
	s.mu.Unlock()
	if !due || ctx.Err() != nil {
		return
	}
	begin := time.Now()
	r, err := s.converge(ctx, func(conn *connection) (Result, error) {
		if p, ok := s.planBack(conn); ok {
			return s.carry(ctx, conn, p, begin)
		}
		return s.try(ctx, conn, begin, nil)
	})
	if ctx.Err() != nil {
		return // a Push, or the replay of the next connection, sends this and more
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
func (s *Client) converge(ctx context.Context, try func(*connection) (Result, error)) (Result, error) {
	last := errChanged
	for left := attempts; left > 0; {
		conn, err := s.connected(ctx)
		if err != nil {
			return Result{}, err
		}
		r, err := try(conn)
		var changed retryError
		switch {
		case err == nil:
			return r, nil
		case ctx.Err() != nil:
			return Result{}, context.Cause(ctx)
		case errors.Is(err, errLost):
			<-conn.down
		case errors.As(err, &changed):
			last = changed.error
			left--
		default:
			return Result{}, err
		}
	}
	return Result{}, last
}

// retryError is a failure that another try may not meet.
type retryError struct{ error }

func (s *Client) try(ctx context.Context, conn *connection, begin time.Time, named []string) (Result, error) {
	if err := conn.awaitWritten(ctx); err != nil {
		return Result{}, err
	}
	p, err := s.plan(conn)
	if err != nil {
		return Result{}, err
	}
	if p.change.Force && !p.change.Restart {
		p.touch = slices.DeleteFunc(slices.Clone(named), func(path string) bool {
			_, ok := p.target[path]
			return !ok
		})
	}
	return s.carry(ctx, conn, p, begin)
}

// carry carries out a plan.
func (s *Client) carry(ctx context.Context, conn *connection, p plan, begin time.Time) (Result, error) {
	if p.nothing() {
		return s.answered(ctx, conn, p, begin)
	}
	res, sent, bytes, err := s.transact(ctx, conn, p)
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
		s.agree(res.Status.Tree, p)
		if p.change.Restart {
			s.prove(p.target, res.Status.Build)
		}
		return r, nil
	case wire.RolledBack:
		s.agreeBack(res.Status.Tree)
		r.Reason, r.RolledBack, r.Restored = res.Error, true, res.Times.Restored
		return r, nil
	case wire.Unhealthy:
		s.agree(res.Status.Tree, p)
		r.Reason = res.Error
		return r, nil
	case wire.Superseded:
		return Result{}, ErrSuperseded
	case wire.Moved:
		conn.moved()
		return Result{}, retryError{errors.New(res.Error)}
	default:
		// A file that was written to while it was sent has another sum than
		// announced.
		return Result{}, retryError{errors.New(res.Error)}
	}
}

// agree notes what the container holds after a change that it took.
func (s *Client) agree(tree wire.Sum, p plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.want.agreed, s.want.tree = true, tree
	clear(s.want.dirty)
	if p.back {
		for path := range s.want.files {
			s.want.dirty[path] = true // what is wanted is still another version
		}
	} else {
		s.want.back = wire.Sum{}
	}
	s.poke()
}

// agreeBack notes what the container holds after a change that was taken back.
// Its paths stay dirty: the next push brings them along.
func (s *Client) agreeBack(tree wire.Sum) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.want.agreed, s.want.tree, s.want.back = true, tree, tree
	s.poke()
}

// prove notes that a version is healthy, so that it can be brought to another
// container.
func (s *Client) prove(files wire.Tree, build string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.programs.hold(s.want.prove(files, build))
}

// planBack plans to make the container hold the version that the one before it
// went back to, where all of its files are still at hand.
func (s *Client) planBack(conn *connection) (plan, bool) {
	status, held := conn.snapshot()
	s.mu.Lock()
	v, ok := s.want.takenBack()
	p := plan{change: s.want.change, target: v.files, back: true}
	ok = ok && s.want.complete && p.change.Restart
	s.mu.Unlock()
	if !ok {
		return plan{}, false
	}
	p.change.Build = v.build
	for _, path := range slices.Sorted(maps.Keys(v.files)) {
		f := outgoing{path: path, was: held[path]}
		if f.was == v.files[path] {
			continue
		}
		if f.content, f.local, ok = s.programs.look(v.files[path].Sum); !ok {
			return plan{}, false
		}
		f.File = v.files[path]
		p.files = append(p.files, f)
	}
	for _, path := range slices.Sorted(maps.Keys(held)) {
		if _, ok := v.files[path]; !ok {
			p.gone = append(p.gone, path)
		}
	}
	p.restart = len(p.files) > 0 || len(p.gone) > 0 || v.build != status.Build
	return p, true
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
	// back says that this is not what is wanted, but what ran before it.
	back bool
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
func (s *Client) plan(conn *connection) (plan, error) {
	status, held := conn.snapshot()
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
			return plan{}, unreadable(path, err)
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
	p.restart = p.change.Restart && (p.change.Force || p.swaps() || other && p.change.Reread == nil)
	p.announce = !p.restart && other
	return p, nil
}

// swaps says whether something changed that the process does not read by itself.
func (p plan) swaps() bool {
	restarts := func(path string) bool { return p.change.Reread == nil || !p.change.Reread(path) }
	return slices.ContainsFunc(p.files, func(f outgoing) bool { return restarts(f.path) }) || slices.ContainsFunc(p.gone, restarts)
}

// unreadable is the error of a file that could not be read. One that got shorter
// meanwhile is being written.
func unreadable(path string, err error) error {
	err = fmt.Errorf("reading %q: %w", path, err)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return retryError{err}
	}
	return err
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
func (s *Client) answered(ctx context.Context, conn *connection, p plan, begin time.Time) (Result, error) {
	sum := p.target.Sum()
	for {
		status, changed := conn.watch()
		if !p.change.Restart || status.Phase != wire.Starting {
			s.agree(sum, p)
			if p.change.Restart && status.Phase == wire.Healthy {
				s.prove(p.target, status.Build)
			}
			r := Result{Unchanged: true, Sent: time.Since(begin), Build: status.Build, Tree: sum}
			if status.Phase == wire.Down {
				r.Reason, r.Output = status.Reason, status.Output
			}
			return r, nil
		}
		select {
		case <-changed:
			if s, _ := conn.snapshot(); s.RolledBack {
				return Result{}, retryError{errors.New(s.Reason)}
			}
		case <-conn.down:
			return Result{}, conn.lost()
		case <-ctx.Done():
			return Result{}, context.Cause(ctx)
		}
	}
}
