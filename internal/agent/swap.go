package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zr/internal/agent/folder"
	"zr/internal/agent/proc"
	"zr/pkg/agentspec/wire"
)

// carryOut commits a transaction and, where it asks for that, swaps the process.
func (e *engine) carryOut(ctx context.Context, r *request) wire.Result {
	res := wire.Result{Tx: r.commit.Tx, Times: wire.Times{Received: r.received}}
	if r.commit.Restart {
		defer e.holdKubelet()()
	}
	if r.commit.Restart && e.onTrial != nil {
		// It was healthy until now: that is the one to go back to first. Should
		// it end in its trial then, the one before it has still to be there.
		e.folder.MarkTried()
		e.triedBuild = e.build
	}
	begin := time.Now()
	err := r.tx.Commit(r.commit, r.commit.Restart || e.onTrial != nil)
	res.Times.Written = time.Since(begin)
	if err == nil && r.commit.Restart {
		r.written() // the result follows when the process is healthy
	}
	switch {
	case errors.Is(err, folder.ErrMoved):
		res.Outcome, res.Error = wire.Moved, err.Error()
	case err != nil:
		res.Outcome, res.Error = wire.Failed, err.Error()
	case r.commit.Restart:
		e.swap(ctx, r.commit, &res)
	default:
		if r.commit.Build != "" {
			e.build = r.commit.Build
		}
		e.status.set(func(s *wire.Status) { s.Tree, s.Build = r.commit.Tree, e.build })
		res.Outcome = wire.Done
	}
	res.Status, _ = e.status.get()
	return res
}

// holdKubelet has the kubelet wait for the end of a swap that begins now. The
// function it returns is that end, unless a newer swap waits for its turn, as it
// also does where it cut a rollback short.
func (e *engine) holdKubelet() (end func()) {
	e.ready.begin()
	return func() {
		if !e.inbox.restarts() {
			e.ready.end()
		}
	}
}

// swap replaces the process by one that is started from the new files, and
// goes back to the last good version where that does not get healthy.
func (e *engine) swap(ctx context.Context, c wire.Commit, res *wire.Result) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !e.inbox.interrupt(func() { cancel(errSuperseded) }) {
		res.Outcome = wire.Superseded // before it was even started
		e.status.set(func(s *wire.Status) { s.Tree = c.Tree })
		return
	}
	defer e.inbox.interrupt(nil)
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = wire.HealthTimeout
	}
	e.patience = timeout
	old := e.proc
	if c.Build != "" {
		e.build = c.Build
	}
	err := e.replace(ctx, timeout, &res.Times)
	if err != nil && !e.running() && old != nil && old.Running() && ctx.Err() == nil {
		// It started while the old one was finishing its requests, and may
		// have met something that the old one still held.
		proc.Kill(old)
		err = e.replace(ctx, timeout, &res.Times)
	}
	switch {
	case err == nil:
		res.Outcome = wire.Done
		e.backoff = 0
		e.answered()
		begin := time.Now()
		e.ready.await(ctx)
		res.Times.Healthy += time.Since(begin)
		e.onTrial = time.After(trial)
	case errors.Is(context.Cause(ctx), errSuperseded):
		res.Outcome = wire.Superseded
	case ctx.Err() != nil: // the container stops
		res.Outcome, res.Error = wire.Failed, "the container stops"
	default:
		e.refuse(ctx, err, res)
	}
}

func (e *engine) running() bool { return e.proc != nil && e.proc.Running() }

// replace stops the process, starts one from what the folder holds and waits
// until that is healthy.
func (e *engine) replace(ctx context.Context, timeout time.Duration, t *wire.Times) error {
	begin := time.Now()
	lap := func(d *time.Duration) { now := time.Now(); *d += now.Sub(begin); begin = now }
	e.onTrial = nil
	if e.proc != nil {
		proc.Stop(ctx, e.proc, e.health.Port())
	}
	lap(&t.Stopped)
	if err := e.launch(); err != nil {
		return err
	}
	lap(&t.Started)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not healthy within %s", timeout))
	defer cancel()
	err := e.health.Await(ctx, e.proc, e.build)
	lap(&t.Healthy)
	return err
}

// refuse handles a version that did not get healthy.
func (e *engine) refuse(ctx context.Context, verdict error, res *wire.Result) {
	res.Error = verdict.Error()
	if e.proc != nil {
		res.Output = e.proc.Output()
	}
	e.log.Error("the new version did not get healthy", "build", e.build, "reason", res.Error)
	if e.folder.HasGood() {
		begin := time.Now()
		healthy, err := e.rollBack(ctx)
		res.Times.Restored = time.Since(begin)
		res.Outcome = wire.RolledBack
		switch {
		case errors.Is(context.Cause(ctx), errSuperseded): // nobody waited for it
		case err != nil:
			res.Error += "; going back: " + err.Error()
		case !healthy:
			res.Error += "; the version before it did not get healthy either"
		}
		return
	}
	res.Outcome = wire.Unhealthy
	if e.running() {
		e.publish(wire.Starting, res.Error, res.Output)
		e.watch()
		return
	}
	e.down(res.Error, res.Output)
}

// rollBack puts the version before back and waits until it answers. One that was still
// on its trial when it was replaced goes on with that. Where it does not get healthy
// again, the last good one follows. A newer version ends the waiting.
func (e *engine) rollBack(ctx context.Context) (healthy bool, err error) {
	if e.proc != nil {
		proc.Kill(e.proc)
	}
	good, err := e.folder.Restore()
	if err != nil {
		e.down(err.Error(), nil)
		return false, err
	}
	e.build = e.goodBuild
	if !good {
		e.build = e.triedBuild
	}
	if err := e.launch(); err != nil {
		e.down(err.Error(), nil)
		return false, err
	}
	waiting, cancel := context.WithTimeoutCause(ctx, max(e.patience, wire.HealthTimeout), errors.New("not healthy in time"))
	defer cancel()
	err = e.health.Await(waiting, e.proc, e.build)
	switch {
	case err == nil && good:
		e.answered()
		e.accept()
	case err == nil:
		e.answered()
		e.onTrial = time.After(trial)
	case !good && ctx.Err() == nil && e.folder.HasGood():
		return e.rollBack(ctx)
	case e.running():
		e.unproven = !good
		e.watch()
	default:
		e.down(err.Error(), e.proc.Output())
	}
	return err == nil, nil
}
