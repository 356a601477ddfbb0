package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
	"time"

	"zr/internal/agent/folder"
	"zr/internal/agent/proc"
	"zr/pkg/agentspec"
	"zr/pkg/agentspec/wire"
)

// The patience of the engine.
const (
	// firstBackoff and lastBackoff are the pauses before a process that ended
	// by itself is started again. The kubelet would wait up to five minutes;
	// somebody is looking at this one.
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
	// stable is how long a process must have run for its next end to count as
	// the first.
	stable = 10 * time.Second
	// trial is how long a new version must run, after it got healthy, before
	// the one before it is given up. It covers what an application sets up in
	// the background once it listens.
	trial = 3 * time.Second
)

// engine owns the process and the committed state of the folder. Everything
// happens in run, one thing after the other.
type engine struct {
	command   []string // of the process, with its folder and environment
	dir       string
	env       []string
	seedBuild string
	folder    *folder.Folder
	health    *proc.Health
	reaper    *proc.Reaper
	stdout    io.Writer
	stderr    io.Writer
	log       *slog.Logger

	inbox  *inbox
	status *published
	ready  *readiness

	proc       *proc.Process // the newest; nil before the first start
	build      string        // of the files that proc was started from, or that it picked up
	goodBuild  string        // of the last good version
	triedBuild string        // of the version that Restore goes back to before that
	patience   time.Duration // how long the last version that was sent had to get healthy
	unproven   bool          // proc is to be on trial once it is healthy
	healthy    chan *proc.Process
	verdicts   chan verdict  // on a process that was healthy once
	watched    *proc.Process // that verdicts are about
	backoff    time.Duration
	retry      <-chan time.Time // fires when the process is to be started again
	onTrial    <-chan time.Time // fires when the running version has proven itself
}

// errSuperseded ends the wait for a version that a newer one is about to replace.
var errSuperseded = errors.New("a newer version has arrived")

// run starts the process and keeps it running until ctx is done. It returns
// the exit code of the process.
func (e *engine) run(ctx context.Context) int {
	e.start()
	for {
		select {
		case <-ctx.Done():
			return e.shutdown(context.Cause(ctx))
		case <-e.inbox.wake:
			for r := e.inbox.pop(); r != nil && ctx.Err() == nil; r = e.inbox.pop() {
				r.reply(e.carryOut(ctx, r))
				e.followUp(r.commit)
			}
		case <-e.exited():
			e.ended(ctx, e.proc.Cause())
		case <-e.retry:
			e.retry = nil
			e.start()
		case p := <-e.healthy:
			if p == e.proc && p.Running() {
				e.backoff = 0
				e.answered()
				if e.unproven {
					e.unproven, e.onTrial = false, time.After(trial)
				} else {
					e.accept()
				}
			}
		case v := <-e.verdicts:
			e.judge(v)
		case <-e.onTrial:
			e.accept()
		}
	}
}

// exited returns the channel that says that the process ended, unless that is
// known already.
func (e *engine) exited() <-chan struct{} {
	if e.proc == nil || e.retry != nil {
		return nil
	}
	return e.proc.Exited()
}

// launch starts a process from what the folder holds.
func (e *engine) launch() error {
	e.retry, e.proc, e.unproven = nil, nil, false
	_ = os.MkdirAll(e.dir, 0o755) // a container's runtime makes it too; without it the start fails
	p, err := proc.Start(e.reaper, proc.Command{
		Argv:   e.command,
		Dir:    e.dir,
		Env:    append(e.env[:len(e.env):len(e.env)], agentspec.EnvBuild+"="+e.build),
		Stdout: e.stdout,
		Stderr: e.stderr,
	})
	if err != nil {
		return err
	}
	e.proc = p
	e.publish(wire.Starting, "", nil)
	return nil
}

// start starts the process without waiting for it: at boot and after it ended.
func (e *engine) start() {
	if err := e.launch(); err != nil {
		e.down(err.Error(), nil)
		return
	}
	e.watch()
}

// watch waits in the background for the process to get healthy, however long
// that takes.
func (e *engine) watch() {
	p, build := e.proc, e.build
	go func() {
		if e.health.Await(context.Background(), p, build) == nil {
			e.healthy <- p
		}
	}()
}

// verdict is what the probe says of a process that was healthy once: nil, or
// its last answer.
type verdict struct {
	of  *proc.Process
	err error
}

// answered tells that the process is healthy, and has it asked from now on.
func (e *engine) answered() {
	e.publish(wire.Healthy, "", nil)
	if e.watched == e.proc {
		return
	}
	e.watched = e.proc
	p, build := e.proc, e.build
	go e.health.Watch(context.Background(), p, build, func(err error) {
		select {
		case e.verdicts <- verdict{p, err}:
		case <-p.Exited():
		}
	})
}

// judge tells that the process stopped to answer as healthy, or does again.
func (e *engine) judge(v verdict) {
	if v.of != e.proc || !e.running() {
		return
	}
	if v.err == nil {
		e.answered()
		return
	}
	e.publish(wire.Unready, v.err.Error(), nil)
	e.log.Warn("the process is not ready any more", "reason", v.err.Error())
}

// ended handles a process that ended by itself: a version on trial goes back
// to the one before it, any other is started again.
func (e *engine) ended(ctx context.Context, cause string) {
	ran := time.Since(e.proc.Started)
	reason := fmt.Sprintf("%s after %s", cause, ran.Round(time.Millisecond))
	output := e.proc.Output()
	e.proc.Clear()
	if e.onTrial != nil && e.folder.HasGood() {
		e.onTrial = nil
		defer e.holdKubelet()()
		back, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		if !e.inbox.interrupt(func() { cancel(errSuperseded) }) {
			cancel(errSuperseded) // it waits already
		}
		_, _ = e.rollBack(back)
		e.inbox.interrupt(nil)
		e.status.set(func(s *wire.Status) {
			s.Reason, s.Output, s.RolledBack = reason, output, true
		})
		return
	}
	if ran >= stable {
		e.backoff = 0
	}
	e.down(reason, output)
}

// down plans the next start of a process that ended.
func (e *engine) down(reason string, output []string) {
	e.backoff = min(max(2*e.backoff, firstBackoff), lastBackoff)
	e.retry = time.After(e.backoff)
	e.publish(wire.Down, reason, output)
	e.status.set(func(s *wire.Status) { s.Restarts++ })
	e.log.Error("the process ended", "reason", reason, "restartIn", e.backoff.String())
}

// accept makes the running version the one to go back to.
func (e *engine) accept() {
	e.onTrial = nil
	e.folder.MarkGood()
	e.goodBuild = e.build
	if err := e.folder.Save(e.seedBuild, e.build); err != nil {
		e.log.Warn("a restarted container will begin with the image's files", "error", err.Error())
	}
}

// followUp does what a transaction leaves to do once it was answered.
func (e *engine) followUp(c wire.Commit) {
	if c.Restart {
		return
	}
	if s, _ := e.status.get(); s.Phase == wire.Healthy && e.onTrial == nil {
		e.accept()
	}
	if e.retry != nil { // these files may be the ones that repair it
		e.backoff = 0
		e.start()
	}
}

func (e *engine) publish(phase wire.Phase, reason string, output []string) {
	tree := e.folder.Sum()
	e.status.set(func(s *wire.Status) {
		s.Phase, s.Reason, s.Output, s.RolledBack = phase, reason, output, false
		s.Build, s.Tree, s.Pid = e.build, tree, 0
		if e.proc != nil && e.proc.Running() {
			s.Pid = e.proc.Pid
		}
	})
}

// shutdown passes the signal on and waits for the process: as long as the
// kubelet lets it.
func (e *engine) shutdown(cause error) int {
	if e.proc == nil || !e.proc.Running() {
		return 0
	}
	s := syscall.SIGTERM
	var sig signalError
	if errors.As(cause, &sig) {
		s = sig.Signal
	}
	e.proc.Signal(s)
	<-e.proc.Exited()
	return e.proc.ExitCode()
}
