package stack

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/pkg/event"
	"zr/pkg/fault"
)

// step is one named part of a run. do returns the outcome in a few words, and
// whether there was nothing to do. One without a name is not shown.
type step struct {
	name  string
	title string
	do    func(ctx context.Context) (outcome, error)
}

type outcome struct {
	detail    string
	unchanged bool
}

// together runs steps at the same time and waits for all of them; the first
// that fails cancels the others.
func together(ctx context.Context, sink event.Sink, list ...step) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range list {
		group.Go(func() error { return s.run(ctx, sink) })
	}
	return group.Wait()
}

func (s step) run(ctx context.Context, sink event.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.name == "" {
		_, err := s.do(ctx)
		return err
	}
	start := time.Now()
	sink.Emit(event.StepStarted{Step: s.name, Title: s.title})
	o, err := s.do(ctx)
	took := time.Since(start)
	if err != nil {
		sink.Emit(event.StepFailed{Step: s.name, Took: took, Error: err.Error(), Hint: fault.HintOf(err), Cancelled: ctx.Err() != nil})
		return err
	}
	sink.Emit(event.StepDone{Step: s.name, Took: took, Unchanged: o.unchanged, Detail: o.detail})
	return nil
}

// pause waits for a time, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
