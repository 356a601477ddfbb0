package cli

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"zr/internal/devloop"
	"zr/internal/testkit"
	"zr/internal/ui"
	"zr/pkg/config"
	"zr/pkg/event"
)

// TestKeysWhileNobodyListens presses keys while the stack comes up, or waits
// for a save that mends it.
func TestKeysWhileNobodyListens(t *testing.T) {
	ctx, quit := context.WithCancelCause(t.Context())
	keys := make(chan ui.Command)
	orders := (&stack{}).commands(ctx, keys, quit)
	for _, key := range []ui.Command{{Kind: ui.Rebuild, Service: "api"}, {Kind: ui.Restart}, {Kind: ui.Rebuild, Service: "api"}} {
		keys <- key
	}
	got := []devloop.Command{<-orders, <-orders}
	if want := []devloop.Command{{Unit: "api", Action: event.Rebuild}, {Action: event.Restart}}; !slices.Equal(got, want) {
		t.Errorf("orders %v, want %v", got, want)
	}
	keys <- ui.Command{Kind: ui.Rebuild}
	keys <- ui.Command{Kind: ui.Quit}
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), errQuit) {
		t.Error(context.Cause(ctx))
	}
}

// TestAKeyIsAsGoodAsASave where the stack could not come up.
func TestAKeyIsAsGoodAsASave(t *testing.T) {
	commands := make(chan devloop.Command, 1)
	commands <- devloop.Command{Action: event.Rebuild}
	root := t.TempDir()
	testkit.WriteFile(t, filepath.Join(root, "config", "dev.yaml"), "project: shop\nservices:\n  web: {build: {node: .}}\n")
	cfg, err := config.Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	s := &session{env: &stack{cfg: cfg, sink: event.Discard}, sink: event.Discard, commands: commands}
	if err := s.wait(t.Context(), false); err != nil {
		t.Error(err)
	}
}
