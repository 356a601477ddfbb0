package probe

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"zr/internal/api/reason"
)

func TestChecksRunInParallelWithinTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		s := NewSet(map[string]Check{
			"quick":   func(context.Context) error { return nil },
			"slow":    func(context.Context) error { time.Sleep(900 * time.Millisecond); return nil },
			"refused": func(context.Context) error { return fmt.Errorf("dialing 10.0.0.1: %w", syscall.ECONNREFUSED) },
			"hangs":   func(context.Context) error { <-release; return nil }, // deaf to its context
		})
		begin := time.Now()
		round, err := s.Round(t.Context())
		if err != nil || time.Since(begin) != Deadline || round.Good() {
			t.Fatalf("got %v, %v after %v", round, err, time.Since(begin))
		}
		want := Round{
			"quick":   {Status: OK},
			"slow":    {Status: OK, LatencyMS: 900},
			"refused": {Status: Down, Reason: reason.Refused},
			"hangs":   {Status: Down, LatencyMS: 1000, Reason: reason.Timeout},
		}
		for name, result := range want {
			if round[name] != result {
				t.Errorf("%s: got %+v, want %+v", name, round[name], result)
			}
		}
	})
}

func TestProbesDoNotHammer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, down := 0, false
		s := NewSet(map[string]Check{"db": func(context.Context) error {
			asked++
			if down {
				return syscall.ECONNREFUSED
			}
			return nil
		}})
		for range 1000 { // for a second
			if _, err := s.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		if asked > 5 {
			t.Errorf("asked %d times in a second", asked)
		}
		time.Sleep(keepGood + meanwhile)
		down = true
		if round, _ := s.Round(t.Context()); round.Good() {
			t.Fatal("an old good round")
		}
		down = false
		time.Sleep(keepBad)
		if round, _ := s.Round(t.Context()); !round.Good() {
			t.Error("recovery does not show soon")
		}
	})
}
