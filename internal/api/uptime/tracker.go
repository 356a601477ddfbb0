package uptime

import (
	"slices"
	"time"
)

// maxHeld is how many periods that have ended wait to be stored while the
// database is away. The oldest go first: their time is unknown then.
const maxHeld = 10_000

// tracker makes periods of what is seen. It is not safe for concurrent use.
type tracker struct {
	open  map[string]*Period // the last one of each service
	ended []Period           // that are not stored yet
}

func newTracker() *tracker { return &tracker{open: map[string]*Period{}} }

// see takes that a service is in a state.
func (t *tracker) see(p Period, at time.Time) {
	p.From, p.To = at, at
	last := t.open[p.Service]
	switch {
	case last == nil:
	case at.Before(last.To):
		return // of a replica that lags behind
	case at.Sub(last.To) > Gap:
		t.end(*last)
	case last.State == p.State && last.Reason == p.Reason:
		last.To = at
		return
	default:
		last.To = at
		t.end(*last)
	}
	t.open[p.Service] = &p
}

func (t *tracker) end(p Period) {
	t.ended = append(t.ended, p)
	if over := len(t.ended) - maxHeld; over > 0 {
		t.ended = append(t.ended[:0], t.ended[over:]...)
	}
}

// resume joins what was seen here to the last period of each service that was
// stored before, by this process or by another.
func (t *tracker) resume(stored []Period) {
	for _, before := range stored {
		first := t.first(before.Service)
		if first == nil || first.From.Sub(before.To) > Gap {
			continue
		}
		if first.State == before.State && first.Reason == before.Reason {
			first.From = before.From
			continue
		}
		if first.From.Before(before.To) { // the one before has seen more
			first.From, first.To = before.To, maxTime(before.To, first.To)
			continue
		}
		before.To = first.From
		t.end(before)
	}
}

// first returns the earliest period of a service that is held, or nil.
func (t *tracker) first(service string) *Period {
	if i := slices.IndexFunc(t.ended, func(p Period) bool { return p.Service == service }); i >= 0 {
		return &t.ended[i]
	}
	return t.open[service]
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// unsaved returns what is to be stored: all that has ended, and the others as far
// as they were seen.
func (t *tracker) unsaved() []Period {
	all := slices.Clone(t.ended)
	for _, p := range t.open {
		all = append(all, *p)
	}
	return all
}

// saved takes that unsaved was stored.
func (t *tracker) saved() { t.ended = nil }

// forget drops what is held: another replica stores it.
func (t *tracker) forget() {
	t.ended = nil
	clear(t.open)
}
