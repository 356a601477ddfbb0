package logs

import (
	"context"
	"errors"
	"slices"
	"sync"

	"zr/pkg/event"
)

// ErrClosed is what Next returns after Close.
var ErrClosed = errors.New("the log subscription is closed")

// Hub keeps the last lines of every service in bounded memory, and hands them
// to any number of subscribers. Publishing never waits: a subscriber that is
// slow reads on where the memory still reaches, and is told how many lines it
// missed. It is safe for concurrent use.
type Hub struct {
	budget int // bytes per service

	mu    sync.Mutex
	seq   uint64
	rings map[string]*ring
	subs  map[*Subscription]struct{}
}

// NewHub returns a Hub that keeps about so many bytes of lines per service.
func NewHub(bytesPerService int) *Hub {
	return &Hub{budget: bytesPerService, rings: map[string]*ring{}, subs: map[*Subscription]struct{}{}}
}

// Publish adds a line. It may be the emit function of Reader.Follow.
func (h *Hub) Publish(l event.LogLine) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rings[l.Service]
	if r == nil {
		r = &ring{}
		h.rings[l.Service] = r
	}
	h.seq++
	r.push(entry{seq: h.seq, line: l}, h.budget)
	for s := range h.subs {
		if s.filter.wantsService(l.Service) {
			s.notify()
		}
	}
}

// Filter says which lines a subscriber wants. The zero Filter wants all.
type Filter struct {
	Services []string
	// Level is the least severe level wanted. Lines without one count as Info.
	Level string
}

func (f Filter) wantsService(service string) bool {
	return len(f.Services) == 0 || slices.Contains(f.Services, service)
}

// Wants tells whether a line passes the filter.
func (f Filter) Wants(l event.LogLine) bool {
	return f.wantsService(l.Service) && AtLeast(l.Level, f.Level)
}

// Subscribe begins with the last lines that are kept and pass the filter, at
// most so many (0: none, None: all). The caller closes the Subscription.
func (h *Hub) Subscribe(f Filter, tail int) *Subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &Subscription{hub: h, filter: f, wake: make(chan struct{}, 1), next: map[string]uint64{}}
	from := h.seq + 1
	if tail != 0 {
		from = h.tail(f, tail)
	}
	for service, r := range h.rings {
		s.next[service] = r.ordinal(from)
	}
	h.subs[s] = struct{}{}
	return s
}

// tail returns the sequence number that the last n wanted lines begin with.
func (h *Hub) tail(f Filter, n int) uint64 {
	var wanted []uint64
	for service, r := range h.rings {
		if !f.wantsService(service) {
			continue
		}
		for i := range r.len() {
			if e := r.at(i); f.Wants(e.line) {
				wanted = append(wanted, e.seq)
			}
		}
	}
	if len(wanted) == 0 {
		return h.seq + 1
	}
	slices.Sort(wanted)
	if n < 0 || n > len(wanted) {
		n = len(wanted)
	}
	return wanted[len(wanted)-n]
}

// Subscription reads from a Hub at its own pace. Next and Close may be called
// by different goroutines; Next by one at a time.
type Subscription struct {
	hub    *Hub
	filter Filter
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

// Next waits for the next line, in the order in which they were published:
// an event.LogLine, or an event.Skipped where lines were dropped before they
// could be read. (Of those it is not known whether they pass the level.)
func (s *Subscription) Next(ctx context.Context) (event.Event, error) {
	for {
		if e, err := s.take(); e != nil || err != nil {
			return e, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.wake:
		}
	}
}

// take returns what is next, or nil where there is nothing new.
func (s *Subscription) take() (event.Event, error) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	for {
		var oldest *ring
		var name string
		for service, r := range s.hub.rings {
			if !s.filter.wantsService(service) {
				continue
			}
			if missed := r.first - min(s.next[service], r.first); missed > 0 {
				s.next[service] = r.first
				return event.Skipped{Service: service, N: int(missed)}, nil
			}
			if i := s.next[service] - r.first; int(i) < r.len() && (oldest == nil || r.at(int(i)).seq < oldest.at(int(s.next[name]-oldest.first)).seq) {
				oldest, name = r, service
			}
		}
		if oldest == nil {
			return nil, nil
		}
		e := oldest.at(int(s.next[name] - oldest.first))
		s.next[name]++
		if s.filter.Wants(e.line) {
			return e.line, nil
		}
	}
}
