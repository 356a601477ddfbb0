package ctxcall_test

import (
	"context"
	"errors"
	"testing"

	"zr/pkg/ctxcall"
)

// TestDoReturnsWhatTheFunctionDoes while the context lasts.
func TestDoReturnsWhatTheFunctionDoes(t *testing.T) {
	late := func(int) { t.Error("what was waited for came late") }
	if got, err := ctxcall.Do(t.Context(), func() (int, error) { return 7, nil }, late); got != 7 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	failed := errors.New("failed")
	if _, err := ctxcall.Do(t.Context(), func() (int, error) { return 0, failed }, late); err != failed {
		t.Errorf("got %v", err)
	}
}

// TestDoLeavesAFunctionThatHangs, with the cause of the context's end, and hands on
// what the function returns after that.
func TestDoLeavesAFunctionThatHangs(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	begun, goOn, came := make(chan struct{}), make(chan struct{}), make(chan int)
	gone := errors.New("gone")
	go func() {
		<-begun
		cancel(gone)
	}()
	got, err := ctxcall.Do(ctx, func() (int, error) {
		close(begun)
		<-goOn
		return 7, nil
	}, func(n int) { came <- n })
	if got != 0 || err != gone {
		t.Fatalf("got %d, %v", got, err)
	}
	close(goOn)
	if n := <-came; n != 7 {
		t.Errorf("late came %d", n)
	}
}
