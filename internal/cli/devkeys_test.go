package cli

import (
	"context"
	"errors"
	"slices"
	"testing"

	"zr/internal/stack"
	"zr/internal/ui"
	"zr/pkg/event"
)

// TestKeysWhileNobodyListens presses keys while the stack comes up, or waits
// for a save that fixes it.
func TestKeysWhileNobodyListens(t *testing.T) {
	ctx, quit := context.WithCancelCause(t.Context())
	keys := make(chan ui.Command)
	orders := commands(ctx, keys, quit, func() {})
	for _, key := range []ui.Command{{Kind: ui.Rebuild, Service: "api"}, {Kind: ui.Restart}, {Kind: ui.Rebuild, Service: "api"}} {
		keys <- key
	}
	got := []stack.Command{<-orders, <-orders}
	if want := []stack.Command{{Unit: "api", Action: event.Rebuild}, {Action: event.Restart}}; !slices.Equal(got, want) {
		t.Errorf("orders %v, want %v", got, want)
	}
	keys <- ui.Command{Kind: ui.Rebuild}
	keys <- ui.Command{Kind: ui.Quit}
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), errQuit) {
		t.Error(context.Cause(ctx))
	}
}

// TestTheDashboardOfNothing is asked for by a key before anything is rendered.
func TestTheDashboardOfNothing(t *testing.T) {
	openDashboard("", event.Discard)
}
