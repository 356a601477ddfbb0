package devloop

import (
	"context"
	"time"

	"zr/pkg/event"
	"zr/pkg/livesync"
)

// Compiled is a service that runs what a build script makes of its sources, such as a
// TypeScript one. Each save builds on this machine, sends what came out otherwise, and
// swaps the process. A build that fails sends nothing.
type Compiled struct {
	*Sources
	// Budget bounds the builds of all services together.
	Budget *Budget

	saved, before time.Time // the last save, and the one before
}

// First builds what is there: the container may run something else.
func (c *Compiled) First() Work { return Work{Action: event.Restart, All: true, Quiet: true} }

// Plan builds anew what is a source, and the image when its dependencies change.
func (c *Compiled) Plan(path string) Decision {
	d := c.Sources.Plan(path)
	if d.Action == event.Ignore || d.Action == event.Rebuild {
		return d
	}
	return Decision{c.Service, event.Restart, "what runs is made from it"}
}

// Run builds, sends all that is to run and has the process swapped. What a failed
// run did not do is done by the next one.
func (c *Compiled) Run(ctx context.Context, work Work, trace *event.Reload) error {
	if !trace.Saved.Equal(c.saved) {
		c.saved, c.before = trace.Saved, c.saved
	}
	work.Action = dearer(work.Action, c.failed)
	c.failed = work.Action
	files, hash, err := c.compile(ctx, work, trace)
	if err != nil {
		return err
	}
	trace.Build = hash
	if files != nil {
		result, err := c.Container.Push(ctx, livesync.Change{
			Files: sendable(files), Complete: true, Build: hash, Restart: true, Force: work.Forced,
		})
		if err := conclude(work, result, err, trace); err != nil {
			return err
		}
	}
	c.failed = ""
	return nil
}

// compile builds what is to run, unless the container runs what was built from
// the same inputs.
func (c *Compiled) compile(ctx context.Context, work Work, trace *event.Reload) (files map[string]string, hash string, err error) {
	begin := time.Now()
	defer func() { trace.Built = time.Since(begin) }()
	if err := c.Inputs.Refresh(ctx); err != nil {
		return nil, "", stopped(ctx, faultOf(err))
	}
	if work.Action == event.Rebuild {
		if err := c.rebuild(ctx); err != nil {
			return nil, "", stopped(ctx, faultOf(err))
		}
	}
	if hash = c.Inputs.Hash(); !work.All && work.Action != event.Rebuild && c.runs(hash) {
		return nil, hash, nil
	}
	release, err := c.Budget.Take(ctx, c.saved, c.before, work.Shared)
	if err != nil {
		return nil, "", err
	}
	defer release()
	if files, hash, err = c.Command(ctx); err != nil {
		return nil, "", stopped(ctx, faultOf(err))
	}
	return files, hash, nil
}

// runs reports whether the container runs what was built from the given inputs.
func (c *Compiled) runs(hash string) bool {
	s := c.Container.State()
	return s.InStep && s.Status.Phase == livesync.Healthy && s.Status.Build == hash
}

// sendable are files that a container can be told the names of.
func sendable(files map[string]string) map[string]livesync.Source {
	sources := map[string]livesync.Source{}
	for name, path := range files {
		if livesync.CanHold(name) {
			sources[name] = livesync.Source{Path: path}
		}
	}
	return sources
}
