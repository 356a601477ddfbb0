package logstore

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"zr/pkg/logline"
)

// Replicas carries messages between the replicas of the api. cache.Cache is one.
type Replicas interface {
	Publish(ctx context.Context, channel string, message []byte) (int, error)
	Follow(ctx context.Context, channel string, told func(message []byte)) error
}

const (
	// lookEvery is how often a replica that does not collect looks for what was stored
	// and not told.
	lookEvery = time.Second
	// nobodyEvery is how often it is tried whether a replica listens, where none did.
	nobodyEvery = 250 * time.Millisecond
	// tellWithin bounds one message.
	tellWithin = time.Second
	// maxWaiting is how many lines wait for those before them.
	maxWaiting = 20_000
)

// collected is a message: lines, and the ID of the line before the first of them.
type collected struct {
	After int64
	Lines []*logline.Line
}

func (c *Collector) channel() string { return "logs:" + c.environment }

// telling hands what is collected here to the replicas that do not collect. It reads as
// any slow client does: nobody waits for it.
type telling struct {
	collector *Collector
	lines     *logline.Subscription
	last      int64 // the ID of the last line that was told, or need not be
}

// newTelling begins after the newest line.
func newTelling(c *Collector) *telling {
	t := &telling{collector: c}
	t.begin(c.hub.Last())
	return t
}

// begin goes on after a line, or after those that are not in memory any more.
func (t *telling) begin(after int64) {
	lines, dropped := t.collector.hub.Subscribe(&logline.Filter{}, after)
	t.lines, t.last = lines, max(after, dropped)
}

// run tells until ctx ends. What could not be told is told again. Where nobody listened, or
// where lines were dropped before they could be told, it goes on with the newest: what is
// missing then is found in the store.
func (t *telling) run(ctx context.Context) {
	defer func() { t.lines.Close() }()
	for ctx.Err() == nil {
		lines, err := t.lines.Next(ctx)
		if err != nil {
			return
		}
		told := false
		if !slices.ContainsFunc(lines, func(l *logline.Line) bool { return l.Skipped > 0 }) {
			told, err = t.tell(ctx, lines)
		}
		if told {
			continue
		}
		t.lines.Close()
		sleep(ctx, nobodyEvery)
		if err != nil {
			t.begin(t.last)
		} else {
			t.begin(t.collector.hub.Last())
		}
	}
}

// tell says whether anybody listens.
func (t *telling) tell(ctx context.Context, lines []*logline.Line) (bool, error) {
	text, err := json.Marshal(collected{t.last, lines})
	if err != nil {
		return false, nil // never: lines are texts and numbers
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	listeners, err := t.collector.replicas.Publish(ctx, t.collector.channel(), text)
	if err == nil {
		t.last = lines[len(lines)-1].ID
	}
	return listeners > 0, err
}

// hear publishes what another replica tells that it collects, until ctx ends.
func (c *Collector) hear(ctx context.Context) {
	for ctx.Err() == nil {
		err := c.replicas.Follow(ctx, c.channel(), func(text []byte) {
			var m collected
			if json.Unmarshal(text, &m) == nil {
				c.heard.add(m, c.hub)
			}
		})
		c.log.Debug("lines that another replica collects come from the database alone", "error", err)
		sleep(ctx, retryEvery)
	}
}

// heard are messages that wait for the lines before theirs, which come from the store. It
// is safe for concurrent use.
type heard struct {
	gap chan struct{} // holds a value where something waits

	mu      sync.Mutex
	waiting []collected
	lines   int // in waiting
}

// add publishes the lines of a message to a hub, or holds them.
func (h *heard) add(m collected, hub *logline.Hub) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting = append(h.waiting, m)
	h.lines += len(m.Lines)
	h.flush(hub)
	for h.lines > maxWaiting {
		h.drop() // the store has them, too
	}
	if len(h.waiting) > 0 {
		select {
		case h.gap <- struct{}{}:
		default:
		}
	}
}

// publish publishes what waits and may go on.
func (h *heard) publish(hub *logline.Hub) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flush(hub)
}

// flush does that. The mutex is held.
func (h *heard) flush(hub *logline.Hub) {
	for len(h.waiting) > 0 && h.waiting[0].After <= hub.Last() {
		for _, l := range h.waiting[0].Lines {
			hub.Publish(l)
		}
		h.drop()
	}
}

// drop forgets the oldest message. The mutex is held.
func (h *heard) drop() {
	h.lines -= len(h.waiting[0].Lines)
	h.waiting = h.waiting[1:]
}
