package stack

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestOneGoroutineAtATimeUsesAnEnvironment has a second one wait, and one whose
// context ends go without.
func TestOneGoroutineAtATimeUsesAnEnvironment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDev(&Stack{})
		release, order := make(chan struct{}), make(chan string, 2)
		go func() {
			_ = d.exclusively(t.Context(), func(*current) error {
				<-release
				order <- "first"
				return nil
			})
		}()
		synctest.Wait()
		if d.env.idle() {
			t.Error("it is idle while somebody uses it")
		}
		go func() {
			_ = d.exclusively(t.Context(), func(*current) error {
				order <- "second"
				return nil
			})
		}()
		ending, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := d.exclusively(ending, func(*current) error {
			t.Error("two use it at once")
			return nil
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it ended with %v", err)
		}
		close(release)
		if a, b := <-order, <-order; a != "first" || b != "second" {
			t.Errorf("%s was before %s", a, b)
		}
		synctest.Wait()
		if !d.env.idle() {
			t.Error("it is in use when all have ended")
		}
	})
}
