package logstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zr/pkg/logline"
)

// ErrTooOld says that too many lines were written since a cursor: who wants them
// searches.
var ErrTooOld = errors.New("too many lines were written since this cursor")

const (
	// maxReplay is how many stored lines one who comes back is shown: what
	// 1,000 lines a second make in a minute or so.
	maxReplay    = 100_000
	replayAtOnce = 2000
	// replayAgain is how soon stored lines are looked for that are not there yet.
	replayAgain = 100 * time.Millisecond
)

// untold stands for the ID of the newest line while that is not known.
const untold = -1

// Newest returns the ID after which one begins to Watch who wants only new lines.
func (c *Collector) Newest() int64 {
	select {
	case <-c.looked:
		return c.hub.Last()
	default:
		return untold
	}
}

// Watch passes the lines that pass a filter and come after an ID to send, in
// their order, until send fails or ctx ends. What was written since and is not
// in memory any more comes from the store. Where send is too slow, lines are
// left out, and a Line with a count in Skipped says so. It begins when it is known what
// is stored: before that, lines would be missing that nobody knows of.
func (c *Collector) Watch(ctx context.Context, f *logline.Filter, after int64, send func([]*logline.Line) error) error {
	select {
	case <-c.looked:
	case <-ctx.Done():
		return ctx.Err()
	}
	if after == untold {
		after = c.hub.Last()
	}
	replayed, complete := 0, false
	for {
		s, missing := c.hub.Subscribe(f, after)
		if missing <= after {
			defer s.Close()
			return forward(ctx, s, send)
		}
		s.Close()
		lines, err := c.store.After(ctx, c.environment, after, replayAtOnce)
		if err != nil {
			return fmt.Errorf("going on with the logs of %q: %w", c.environment, err)
		}
		if replayed += len(lines); replayed > maxReplay {
			return ErrTooOld
		}
		var wanted []*logline.Line
		for _, l := range lines {
			after = l.ID
			if f.Wants(l) {
				wanted = append(wanted, l)
			}
		}
		if len(wanted) > 0 {
			if err := send(wanted); err != nil {
				return err
			}
		}
		switch {
		case len(lines) == replayAtOnce || after >= missing:
		case complete:
			after = missing // what is not there by now was too old to be kept
		default:
			last, err := c.store.LastID(ctx, c.environment)
			if err != nil {
				return fmt.Errorf("going on with the logs of %q: %w", c.environment, err)
			}
			if complete = last >= missing; !complete { // they are on their way
				sleep(ctx, replayAgain)
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func forward(ctx context.Context, s *logline.Subscription, send func([]*logline.Line) error) error {
	for {
		lines, err := s.Next(ctx)
		if err != nil {
			return err
		}
		if err := send(lines); err != nil {
			return err
		}
	}
}
