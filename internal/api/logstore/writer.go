package logstore

import (
	"context"
	"errors"
	"time"

	"zr/internal/api/reason"
	"zr/pkg/logs/follow"
)

const (
	// flushEvery gathers lines, so that few transactions carry many.
	flushEvery = 200 * time.Millisecond
	// appendWithin bounds one transaction.
	appendWithin = 10 * time.Second
	// lastFlush bounds the one when the process ends.
	lastFlush = 2 * time.Second
)

// writer stores what a buffer holds.
type writer struct {
	collector *Collector
	buffer    *buffer
	epoch     int64
	depose    func()
	failing   bool
}

// run stores until ctx ends, and then what is left, if the database takes it at
// once: what is not stored is read again, as the cursors say.
func (w *writer) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-w.buffer.ready:
			sleep(ctx, flushEvery)
		}
		for ctx.Err() == nil && w.flush(ctx, appendWithin) {
		}
	}
	for w.flush(context.WithoutCancel(ctx), lastFlush) {
	}
}

// flush stores one batch, and tells whether there was one and it was stored.
func (w *writer) flush(ctx context.Context, within time.Duration) bool {
	entries := w.buffer.next()
	if len(entries) == 0 {
		return false
	}
	c := w.collector
	b := Batch{Environment: c.environment, Epoch: w.epoch, Cursors: map[Container]follow.Cursor{}}
	var stored, skipped int64
	for _, e := range entries {
		b.Lines = append(b.Lines, e.line)
		b.Cursors[e.container] = e.cursor
		if e.line.Skipped > 0 {
			skipped += int64(e.line.Skipped)
		} else {
			stored++
		}
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := c.store.Append(ctx, b)
	switch {
	case err == nil:
		w.buffer.done(len(entries))
		c.stored.Add(stored)
		c.skipped.Add(skipped)
		if skipped > 0 {
			c.log.Warn("log lines were skipped, since the database could not take them", "lines", skipped)
		}
		if w.failing {
			c.log.Info("logs are stored again")
		}
		w.failing = false
		return true
	case errors.Is(err, ErrDeposed), reason.Of(err) == reason.Newer: // which the others know
		c.log.Warn("another replica has taken over the logs")
		w.depose()
		return false
	}
	if !w.failing {
		c.log.Warn("logs wait for the database", "error", err)
	}
	w.failing = true
	sleep(ctx, retryEvery)
	select {
	case w.buffer.ready <- struct{}{}:
	default:
	}
	return false
}
