package logline

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed is what Next returns after Close.
var ErrClosed = errors.New("the log subscription is closed")

// maxBatch is how many lines a subscriber looks at while it holds the lock of
// the hub: some 10 µs.
const maxBatch = 256

// Hub keeps the last lines of every service in bounded memory, and hands them
// to any number of subscribers. Publishing never waits: a subscriber that is
// slow reads on where the memory still reaches, and is told how many lines it
// missed. It is safe for concurrent use.
type Hub struct {
	budget int // bytes per service

	mu    sync.Mutex
	floor int64 // lines up to this ID were never here
	last  int64
	rings map[string]*ring
	subs  map[*Subscription]struct{}
}

// NewHub returns a Hub that keeps about so many bytes of lines per service.
func NewHub(bytesPerService int) *Hub {
	return &Hub{budget: bytesPerService, rings: map[string]*ring{}, subs: map[*Subscription]struct{}{}}
}

// Publish adds a line, which nobody changes from then on. Its ID is above that
// of every line before; one that is not is dropped.
func (h *Hub) Publish(l *Line) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.ID <= h.last {
		return
	}
	h.last = l.ID
	r := h.rings[l.Service]
	if r == nil {
		r = &ring{}
		h.rings[l.Service] = r
	}
	r.push(l, h.budget)
	for s := range h.subs {
		if s.filter.wantsService(l.Service) {
			s.notify()
		}
	}
}

// StartAfter says that the lines up to an ID are kept elsewhere.
func (h *Hub) StartAfter(id int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.floor, h.last = max(h.floor, id), max(h.last, id)
}

// Last returns the ID of the newest line, 0 where there was none.
func (h *Hub) Last() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// Subscribe begins with the lines that pass the filter after an ID. It returns
// the ID up to which such lines may be missing in the hub, or 0: who wants those
// finds them elsewhere. The caller closes the Subscription.
func (h *Hub) Subscribe(f *Filter, after int64) (s *Subscription, dropped int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s = &Subscription{hub: h, filter: f, after: after, wake: make(chan struct{}, 1), next: map[string]uint64{}}
	if h.floor > after {
		dropped = h.floor
	}
	for service, r := range h.rings {
		s.next[service] = r.after(after)
		if f.wantsService(service) && r.dropped > after {
			dropped = max(dropped, r.dropped)
		}
	}
	h.subs[s] = struct{}{}
	return s, dropped
}

// Subscription reads from a Hub at its own pace. Next and Close may be called
// by different goroutines; Next by one at a time.
type Subscription struct {
	hub    *Hub
	filter *Filter
	after  int64 // lines up to this ID are not wanted, also where they come later
	wake   chan struct{}
	// next is, by service, the ordinal of the line to read next. The hub's
	// lock guards it.
	next   map[string]uint64
	closed bool
}

func (s *Subscription) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Close ends the subscription. A Next that waits returns ErrClosed.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.subs, s)
	s.closed = true
	s.notify()
}

// Next waits for lines that pass the filter, and returns those that are there,
// in the order of their IDs. Where lines were dropped before they could be read
// there is a Line with a count in Skipped and no ID. (Of those it is not known
// whether they pass.)
func (s *Subscription) Next(ctx context.Context) ([]*Line, error) {
	for {
		taken, err := s.take()
		if err != nil {
			return nil, err
		}
		if len(taken) == 0 {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-s.wake:
			}
			continue
		}
		// Out of the lock: an expression takes its time.
		wanted := taken[:0]
		for _, l := range taken {
			if s.filter.Wants(l) {
				wanted = append(wanted, l)
			}
		}
		if len(wanted) > 0 {
			return wanted, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// take returns what is next of the wanted services.
func (s *Subscription) take() ([]*Line, error) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	var taken []*Line
	for len(taken) < maxBatch {
		l := s.oldest()
		if l == nil {
			break
		}
		if l.ID == 0 || l.ID > s.after { // 0 is of lines that were missed
			taken = append(taken, l)
		}
	}
	return taken, nil
}

// oldest takes the line with the lowest ID, or what was missed.
func (s *Subscription) oldest() *Line {
	var from *Line
	for service, r := range s.hub.rings {
		if !s.filter.wantsService(service) {
			continue
		}
		if missed := r.first - min(s.next[service], r.first); missed > 0 {
			s.next[service] = r.first
			return &Line{Service: service, Skipped: int(missed)}
		}
		if i := s.next[service] - r.first; int(i) < r.len() && (from == nil || r.at(int(i)).ID < from.ID) {
			from = r.at(int(i))
		}
	}
	if from != nil {
		s.next[from.Service]++
	}
	return from
}
