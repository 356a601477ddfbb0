package stack

import (
	"context"
	"errors"
	"time"

	"zr/internal/devloop"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// environment is what a `zr dev` keeps up. A Dev is one.
type environment interface {
	// bringUp makes the cluster say what the project says, and waits for
	// nobody's health. Where it is the cluster that cannot be had, the error is
	// a noCluster.
	bringUp(ctx context.Context) error
	// keepInStep makes saves live until ctx ends. It returns errGone when
	// everything has to be brought up again.
	keepInStep(ctx context.Context, batches chan devloop.Batch, commands chan devloop.Command) error
	// reload reads the configuration anew, and keeps the one before where that
	// fails.
	reload(ctx context.Context) error
	// disconnect lets go of the cluster.
	disconnect(ctx context.Context) error
}

// noCluster is the error of a run that found no cluster to work on: no save of
// the project's files fixes that.
type noCluster struct{ error }

func (n *noCluster) Unwrap() error { return n.error }

// errGone says that the cluster went away, or came back as another one, or that
// the namespace went.
var errGone = errors.New("what was brought up has gone away")

// clusterRetry is the pause between two tries to bring a cluster back.
const clusterRetry = 10 * time.Second

// lifecycle is that of a `zr dev`: it brings an environment up and keeps it in step,
// over and over, until its context ends. What breaks on the way, be it the
// user's code or the cluster, is told and fixed.
type lifecycle struct {
	env      environment
	sink     event.Sink
	batches  chan devloop.Batch
	commands chan devloop.Command

	was    bool // it was up before
	stands bool // a Problem of upSource
}

// upSource names the run of up in Problems.
const upSource = "zr up"

// run returns the context's error, or that of a start which no save can fix.
func (l *lifecycle) run(ctx context.Context) error {
	for {
		if err := l.start(ctx); err != nil {
			return err
		}
		err := l.env.keepInStep(ctx, l.batches, l.commands)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !errors.Is(err, errGone) {
			return err
		}
		if err := l.env.disconnect(ctx); err != nil {
			return err
		}
	}
}

// start brings the environment up: again after a save where the user's code
// kept it from coming up, and after a while where the cluster was lost.
func (l *lifecycle) start(ctx context.Context) error {
	for {
		err := l.env.bringUp(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			l.was = true
			l.clear()
			return nil
		}
		var none *noCluster
		lost := errors.As(err, &none)
		switch {
		case lost && !l.was:
			return none.error
		case !l.was && !l.stands && fault.Code(err) == fault.Usage:
			return err
		case lost:
			l.tell(err, "zr dev tries again every "+clusterRetry.String()+", and after a save; Ctrl-C ends it")
		default:
			l.tell(err, "zr dev waits for a save that fixes it, and then tries again; Ctrl-C ends it")
		}
		if err := l.wait(ctx, lost); err != nil {
			return err
		}
	}
}

// wait returns after a save, or a command, after which the configuration can be
// read, and has taken it: a run with the one before would hide what is wrong.
// With retry it returns after a while without one too.
func (l *lifecycle) wait(ctx context.Context, retry bool) error {
	var again <-chan time.Time
	if retry {
		timer := time.NewTimer(clusterRetry)
		defer timer.Stop()
		again = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again:
			return nil
		case <-l.batches:
		case <-l.commands:
		}
		err := l.env.reload(ctx)
		if err == nil {
			return nil
		}
		l.tell(err, "zr dev waits for a save that fixes it; Ctrl-C ends it")
	}
}

// tell says what is wrong, what can be done about it, and what is waited for.
func (l *lifecycle) tell(err error, waits string) {
	text := err.Error()
	if hint := fault.HintOf(err); hint != "" {
		text += "\nhint: " + hint
	}
	l.stands = true
	l.sink.Emit(event.Problem{Source: upSource, Text: text + "\n" + waits})
}

func (l *lifecycle) clear() {
	if l.stands {
		l.stands = false
		l.sink.Emit(event.Problem{Source: upSource, Cleared: true})
	}
}
