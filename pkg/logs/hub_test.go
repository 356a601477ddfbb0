package logs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"zr/pkg/event"
)

// drain returns what a subscription has right now, in words.
func drain(t *testing.T, s *Subscription) string {
	t.Helper()
	var got []string
	for {
		e, err := s.take()
		if err != nil {
			t.Fatal(err)
		}
		switch e := e.(type) {
		case nil:
			return strings.Join(got, " ")
		case event.LogLine:
			got = append(got, e.Text)
		case event.Skipped:
			got = append(got, fmt.Sprintf("-%d%s", e.N, e.Service))
		}
	}
}

func say(h *Hub, service string, texts ...string) {
	for _, text := range texts {
		h.Publish(event.LogLine{Service: service, Text: text})
	}
}

func TestHubOrderAndTail(t *testing.T) {
	h := NewHub(1 << 20)
	say(h, "a", "1", "2")
	say(h, "b", "3")
	say(h, "a", "4")
	for _, tc := range []struct {
		filter Filter
		tail   int
		want   string
	}{
		{Filter{}, None, "1 2 3 4 5 6"},
		{Filter{}, 0, "5 6"},
		{Filter{}, 2, "3 4 5 6"},
		{Filter{Services: []string{"b"}}, 5, "3 6"},
		{Filter{Level: Error}, None, ""},
	} {
		h := NewHub(1 << 20)
		say(h, "a", "1", "2")
		say(h, "b", "3")
		say(h, "a", "4")
		s := h.Subscribe(tc.filter, tc.tail)
		say(h, "c", "5")
		say(h, "b", "6")
		if got := drain(t, s); got != tc.want {
			t.Errorf("%+v, tail %d: got %q, want %q", tc.filter, tc.tail, got, tc.want)
		}
	}
}

func TestHubSkips(t *testing.T) {
	size := entry{line: event.LogLine{Text: "1"}}.size()
	h := NewHub(3 * size)
	slow := h.Subscribe(Filter{}, 0)
	say(h, "a", "1", "2", "3", "4", "5")
	say(h, "b", "6")
	if got, want := drain(t, slow), "-2a 3 4 5 6"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	say(h, "a", "7")
	if got, want := drain(t, slow), "7"; got != want {
		t.Errorf("after that: got %q, want %q", got, want)
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
	if len(r.entries) > 2*budget/(entry{}).size() {
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
	s := h.Subscribe(Filter{}, 0)
	var wg sync.WaitGroup
	for _, service := range []string{"a", "b"} {
		wg.Go(func() {
			for i := range lines {
				say(h, service, fmt.Sprint(i))
			}
		})
	}
	total := 0
	for total < 2*lines {
		e, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if skipped, ok := e.(event.Skipped); ok {
			total += skipped.N
		} else {
			total++
		}
	}
	wg.Wait()
	if got := drain(t, s); total != 2*lines || got != "" {
		t.Errorf("counted %d lines, and then came %q", total, got)
	}
}

func TestSubscriptionEnds(t *testing.T) {
	h := NewHub(1 << 10)
	s := h.Subscribe(Filter{}, 0)
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
