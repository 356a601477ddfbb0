package stack

import (
	"context"
	"errors"
	"testing"

	"zr/pkg/event"
)

func TestAStepThatTheRunEndedIsNoFailure(t *testing.T) {
	failed := map[string]bool{} // whether it was cancelled
	sink := event.SinkFunc(func(e event.Event) {
		if e, ok := e.(event.StepFailed); ok {
			failed[e.Step] = e.Cancelled
		}
	})
	waiting := make(chan struct{})
	err := together(t.Context(), sink,
		step{name: "waits", do: func(ctx context.Context) (outcome, error) {
			close(waiting)
			<-ctx.Done()
			return outcome{}, errors.New("signal: killed")
		}},
		step{name: "fails", do: func(context.Context) (outcome, error) {
			<-waiting
			return outcome{}, errors.New("broken")
		}})
	if err == nil || err.Error() != "broken" || !failed["waits"] || failed["fails"] || len(failed) != 2 {
		t.Errorf("%v, %v", err, failed)
	}
}
