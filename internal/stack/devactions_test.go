package stack

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"zr/pkg/build"
	"zr/pkg/devattach"
	"zr/pkg/event"
)

// asking is a `zr dev` whose loop is the test, which takes its commands.
func asking(t *testing.T) (*Dev, chan Command) {
	t.Helper()
	d := &Dev{}
	d.facts.Store(&facts{wiring: []wiring{{request: build.Request{Service: "api"}}}})
	return d, make(chan Command)
}

// An action is done when a trace from after it says so, and not when one from before
// does, or one of another service.
func TestAnActionEndsWithItsTrace(t *testing.T) {
	d, commands := asking(t)
	go func() {
		if c := <-commands; c != (Command{Unit: "api", Action: event.Restart}) {
			t.Errorf("got %+v", c)
		}
		d.traces.Emit(event.Reload{Service: "api", Saved: time.Now().Add(-time.Minute), Build: "old"})
		d.traces.Emit(event.Reload{Service: "web", Saved: time.Now(), Build: "other"})
		d.traces.Emit(event.Reload{Service: "api", Saved: time.Now(), Build: "new"})
	}()
	got, err := d.actions(commands)[devattach.Restart](t.Context(), json.RawMessage(`{"service":"api"}`))
	if trace, ok := got.(event.Reload); err != nil || !ok || trace.Build != "new" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAnActionThatFails(t *testing.T) {
	d, commands := asking(t)
	go func() {
		if c := <-commands; c.Unit != manifestsUnit {
			t.Errorf("got %+v", c)
		}
		d.traces.Emit(event.Reload{Service: manifestsUnit, Saved: time.Now(), Error: "config/dev.yaml:3: no such key"})
	}()
	_, err := d.actions(commands)[devattach.Apply](t.Context(), nil)
	if f, ok := errors.AsType[*devattach.Failure](err); !ok || f.Code != devattach.Failed || f.Text != "config/dev.yaml:3: no such key" {
		t.Errorf("got %v", err)
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	if _, err := d.actions(commands)[devattach.Apply](ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("while nobody takes commands: %v", err)
	}
}

func TestAnActionOnNoService(t *testing.T) {
	d, commands := asking(t)
	rebuild := func(service string) devattach.Code {
		_, err := d.actions(commands)[devattach.Rebuild](t.Context(), json.RawMessage(`{"service":"`+service+`"}`))
		f, ok := errors.AsType[*devattach.Failure](err)
		if !ok {
			t.Fatalf("%s: %v", service, err)
		}
		return f.Code
	}
	if code := rebuild("redis"); code != devattach.NotFound {
		t.Errorf("one that is not built: %s", code)
	}
	d.facts.Store(nil)
	if code := rebuild("api"); code != devattach.Conflict {
		t.Errorf("before anything is up: %s", code)
	}
}
