package proc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zr/pkg/probe"
)

// Health says whether the process is healthy: by the readiness probe of the
// manifest, and without one by the process staying alive.
type Health struct {
	probe probe.Probe
	asker *probe.Asker // nil where there is no probe
}

// The pace of Await.
const (
	// firstPoll is the pause between two questions at first. A refused
	// connection on loopback costs 50 µs.
	firstPoll = 2 * time.Millisecond
	// lastPoll is where the pause has grown to when a process takes seconds.
	lastPoll = 100 * time.Millisecond
	// pollShare keeps the pause below this part of the time that has passed,
	// so that polling adds at most 2 % to any start.
	pollShare = 50
	// execPoll is the least pause between two commands.
	execPoll = 50 * time.Millisecond
	// minLifetime is how long a process without a probe has to live.
	minLifetime = 500 * time.Millisecond
)

// The defaults of Kubernetes for what a probe does not say.
const (
	defaultPeriod    = 10 * time.Second
	defaultTimeout   = time.Second
	defaultSuccesses = 1
	defaultFailures  = 3
)

// NewHealth returns the Health of a probe, which may be the zero one.
func NewHealth(p probe.Probe, o probe.Options) (*Health, error) {
	if p.Kind == "" {
		return &Health{}, nil
	}
	orDefault(&p.Period, defaultPeriod)
	orDefault(&p.Timeout, defaultTimeout)
	orDefault(&p.Successes, defaultSuccesses)
	orDefault(&p.Failures, defaultFailures)
	asker, err := probe.New(p, o)
	if err != nil {
		return nil, err
	}
	return &Health{probe: p, asker: asker}, nil
}

func orDefault[T int | time.Duration](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}

// Port returns the port that a healthy process listens on, 0 if it is not known.
func (h *Health) Port() int {
	if h.probe.Host != "" {
		return 0 // of somebody else
	}
	return int(h.probe.Port)
}

// Await asks until the process has answered as healthy as often in a row as the
// probe wants (nil), has ended, or ctx is done. Where the answer names a build,
// it must be the given one.
func (h *Health) Await(ctx context.Context, p *Process, build string) error {
	ctx, cancel := p.whileRunning(ctx)
	defer cancel()
	last := errors.New("no answer yet")
	for row := 0; ; {
		pause := min(max(time.Since(p.Started)/pollShare, firstPoll), lastPoll)
		err := h.ask(ctx, p, build)
		switch {
		case h.asker == nil:
			pause = minLifetime
		case h.probe.Kind == probe.Exec:
			pause = max(pause, execPoll)
		}
		row++
		if err != nil {
			row = 0
		}
		if err == nil && p.Running() && row >= h.probe.Successes {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if !p.Running() {
				return fmt.Errorf("%w: %s after %s", errExited, p.Cause(), time.Since(p.Started).Round(time.Millisecond))
			}
			return fmt.Errorf("%w: %w", context.Cause(ctx), last)
		case <-time.After(pause):
		}
	}
}

// Watch goes on asking a process that is healthy, at the pace of the probe. It calls
// changed when the verdict changes: with the last answer when the process has failed as
// often in a row as the probe says, with nil when it is healthy again. It returns when
// the process ends or ctx does. A process without a probe is not asked.
func (h *Health) Watch(ctx context.Context, p *Process, build string, changed func(error)) {
	if h.asker == nil {
		return
	}
	ctx, cancel := p.whileRunning(ctx)
	defer cancel()
	pace := time.NewTicker(h.probe.Period)
	defer pace.Stop()
	healthy, row := true, 0 // row counts the answers that speak against it
	for {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		err := h.ask(ctx, p, build)
		if ctx.Err() != nil {
			return
		}
		if healthy == (err == nil) {
			row = 0
			continue
		}
		row++
		if healthy && row >= h.probe.Failures || !healthy && row >= h.probe.Successes {
			healthy, row = !healthy, 0
			changed(err)
		}
	}
}

// errExited is the cause of a context of a process that has ended.
var errExited = errors.New("the process ended")

// whileRunning returns a context that ends with the process: an answer that
// never comes must not outlive it.
func (p *Process) whileRunning(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-p.exited:
			cancel(errExited)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

func (h *Health) ask(ctx context.Context, p *Process, build string) error {
	if h.asker == nil {
		if time.Since(p.Started) < minLifetime {
			return errors.New("it has just been started")
		}
		return nil
	}
	answer, err := h.asker.Ask(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", h.asker, err)
	}
	if answer.Build != "" && build != "" && answer.Build != build {
		return fmt.Errorf("build %s answered, not %s", answer.Build, build)
	}
	return nil
}
