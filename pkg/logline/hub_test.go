package logline

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// drain returns what a subscription has right now, in words.
func drain(t *testing.T, s *Subscription) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var got []string
	for {
		lines, err := s.Next(ctx)
		if errors.Is(err, context.Canceled) {
			return strings.Join(got, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if l.Skipped > 0 {
				got = append(got, fmt.Sprintf("-%d%s", l.Skipped, l.Service))
			} else {
				got = append(got, l.Message)
			}
		}
	}
}

func say(h *Hub, service string, texts ...string) {
	for _, text := range texts {
		h.Publish(&Line{ID: h.Last() + 1, Service: service, Record: Record{Message: text}})
	}
}

func TestHubOrder(t *testing.T) {
	for _, tc := range []struct {
		filter Filter
		after  int64
		want   string
	}{
		{Filter{}, 0, "1 2 3 4 5 6"},
		{Filter{}, 4, "5 6"},
		{Filter{}, 2, "3 4 5 6"},
		{Filter{Services: []string{"b"}}, 0, "3 6"},
		{Filter{Level: Error}, 0, ""},
		{Filter{Regexp: regexp.MustCompile("[35]")}, 0, "3 5"},
	} {
		h := NewHub(1 << 20)
		say(h, "a", "1", "2")
		say(h, "b", "3")
		say(h, "a", "4")
		s, dropped := h.Subscribe(&tc.filter, tc.after)
		say(h, "c", "5")
		say(h, "b", "6")
		if got := drain(t, s); got != tc.want || dropped != 0 {
			t.Errorf("%+v, after %d: got %q, want %q; dropped up to %d", tc.filter, tc.after, got, tc.want, dropped)
		}
	}
}

// Who has lines that the hub is yet to be given is not shown them again.
func TestHubDoesNotRepeat(t *testing.T) {
	h := NewHub(1 << 20)
	say(h, "a", "1", "2", "3")
	s, _ := h.Subscribe(&Filter{}, 5)
	defer s.Close()
	say(h, "a", "4", "5", "6")
	say(h, "b", "7")
	if got := drain(t, s); got != "6 7" {
		t.Errorf("got %q", got)
	}
}

func TestHubSkips(t *testing.T) {
	size := sizeOf(&Line{Record: Record{Message: "1"}})
	h := NewHub(3 * size)
	slow, _ := h.Subscribe(&Filter{}, 0)
	say(h, "a", "1", "2", "3", "4", "5")
	say(h, "b", "6")
	if got, want := drain(t, slow), "-2a 3 4 5 6"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	say(h, "a", "7")
	if got, want := drain(t, slow), "7"; got != want {
		t.Errorf("after that: got %q, want %q", got, want)
	}
	for after, want := range map[int64]int64{0: 3, 2: 3, 3: 0, 7: 0} {
		if _, dropped := h.Subscribe(&Filter{}, after); dropped != want {
			t.Errorf("after %d: dropped up to %d, want %d", after, dropped, want)
		}
	}
	if _, dropped := h.Subscribe(&Filter{Services: []string{"b"}}, 0); dropped != 0 {
		t.Errorf("of b nothing was dropped, but %d", dropped)
	}
	fresh := NewHub(3 * size)
	fresh.StartAfter(10)
	say(fresh, "b", "11")
	for after, want := range map[int64]int64{0: 10, 9: 10, 10: 0} {
		if _, dropped := fresh.Subscribe(&Filter{}, after); dropped != want {
			t.Errorf("after %d: a hub that starts after 10 lacks lines up to %d, want %d", after, dropped, want)
		}
	}
}

func TestHubMemoryIsBounded(t *testing.T) {
	const budget = 100 << 10
	h := NewHub(budget)
	for i := range 10_000 {
		say(h, "a", strings.Repeat("x", i%500))
	}
	r := h.rings["a"]
	if r.bytes > budget || r.len() == 0 || int(r.first)+r.len() != 10_000 {
		t.Errorf("holds %d bytes in %d lines from %d on", r.bytes, r.len(), r.first)
	}
	if len(r.entries) > 2*budget/sizeOf(&Line{}) {
		t.Errorf("keeps %d slots", len(r.entries))
	}
	// One line that is larger than all of it is kept alone.
	say(h, "a", strings.Repeat("x", 2*budget))
	if r.len() != 1 {
		t.Errorf("holds %d lines", r.len())
	}
}

// TestHubConcurrent publishes faster than one reader takes, and counts.
func TestHubConcurrent(t *testing.T) {
	const lines = 20_000
	h := NewHub(64 << 10)
	s, _ := h.Subscribe(&Filter{}, 0)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for _, service := range []string{"a", "b"} {
		wg.Go(func() {
			for i := range lines {
				mu.Lock()
				say(h, service, fmt.Sprint(i))
				mu.Unlock()
			}
		})
	}
	total := 0
	for total < 2*lines {
		taken, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range taken {
			total += max(1, l.Skipped)
		}
	}
	wg.Wait()
	if got := drain(t, s); total != 2*lines || got != "" {
		t.Errorf("counted %d lines, and then came %q", total, got)
	}
}

func TestSubscriptionEnds(t *testing.T) {
	h := NewHub(1 << 10)
	s, _ := h.Subscribe(&Filter{}, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	done := make(chan error)
	go func() { _, err := s.Next(t.Context()); done <- err }()
	s.Close()
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	say(h, "a", "nobody hears this")
	if len(h.subs) != 0 {
		t.Error("the hub keeps a closed subscription")
	}
}
