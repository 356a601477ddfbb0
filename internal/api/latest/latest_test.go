package latest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestCallersShareOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		v := New(time.Second, func(context.Context) int {
			time.Sleep(100 * time.Millisecond)
			calls++
			return calls
		}, func(int) time.Duration { return time.Second })
		get := func() int {
			n, err := v.Get(t.Context())
			if err != nil {
				t.Error(err)
			}
			return n
		}
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { get() })
		}
		wg.Wait()
		if got := get(); got != 1 {
			t.Errorf("50 callers made %d calls", got)
		}
		time.Sleep(time.Second)
		if got := get(); got != 2 {
			t.Errorf("an old value was handed out: %d", got)
		}
	})
}

func TestWhoAsksOftenNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		v := New(time.Second, func(context.Context) int {
			time.Sleep(100 * time.Millisecond)
			calls++
			return calls
		}, func(int) time.Duration { return time.Second }).Meanwhile(func(int) time.Duration { return time.Second })
		waited := func() (int, time.Duration) {
			begin := time.Now()
			n, err := v.Get(t.Context())
			if err != nil {
				t.Error(err)
			}
			return n, time.Since(begin)
		}
		if n, took := waited(); n != 1 || took == 0 {
			t.Errorf("at first: %d after %v", n, took)
		}
		for i := range 100 {
			time.Sleep(150 * time.Millisecond)
			if n, took := waited(); n == 0 || took != 0 {
				t.Fatalf("the %dth time: %d after %v", i, n, took)
			}
		}
		if calls < 10 {
			t.Errorf("in 15 s it was made %d times", calls)
		}
		time.Sleep(2 * time.Second)
		if n, took := waited(); n != calls || took == 0 {
			t.Errorf("what is much too old: %d after %v", n, took)
		}
	})
}

// Who peeks never waits, is given nothing that is much too old, and has a new one made.
func TestPeeking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		v := New(time.Second, func(context.Context) int {
			time.Sleep(100 * time.Millisecond)
			calls++
			return calls
		}, func(int) time.Duration { return time.Second })
		peek := func() (int, bool) {
			begin := time.Now()
			n, known := v.Peek(time.Second)
			if took := time.Since(begin); took != 0 {
				t.Errorf("it waited for %v", took)
			}
			return n, known
		}
		if n, known := peek(); known {
			t.Errorf("at first: %d", n)
		}
		for i := range 100 {
			time.Sleep(150 * time.Millisecond)
			if n, known := peek(); !known || n == 0 {
				t.Fatalf("the %dth time: %d, %t", i, n, known)
			}
		}
		if calls < 10 {
			t.Errorf("in 15 s it was made %d times", calls)
		}
		time.Sleep(time.Hour)
		made := calls
		if n, known := peek(); known {
			t.Errorf("after an hour in which nobody asked: %d", n)
		}
		time.Sleep(150 * time.Millisecond)
		if n, known := peek(); !known || n != made+1 {
			t.Errorf("once it is made: %d, %t; %d were made before", n, known, made)
		}
	})
}

func TestACallerThatLeavesDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := New(time.Second, func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(500 * time.Millisecond):
				return nil
			}
		}, func(error) time.Duration { return 0 })
		first, leave := context.WithCancel(t.Context())
		go func() {
			if _, err := v.Get(first); !errors.Is(err, context.Canceled) {
				t.Errorf("the one that left got %v", err)
			}
		}()
		synctest.Wait()
		leave()
		if result, err := v.Get(t.Context()); result != nil || err != nil {
			t.Errorf("the other got %v, %v", result, err)
		}
	})
}

func TestACallHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := New(time.Second, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, func(error) time.Duration { return 0 })
		if result, err := v.Get(t.Context()); !errors.Is(result, context.DeadlineExceeded) || err != nil {
			t.Errorf("got %v, %v", result, err)
		}
	})
}
