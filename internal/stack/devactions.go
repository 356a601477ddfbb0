package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"zr/pkg/devattach"
	"zr/pkg/devattach/attachment"
	"zr/pkg/event"
)

// actions are what the api can ask of a `zr dev`: see package devattach.
func (d *Dev) actions(commands chan<- Command) map[devattach.Action]attachment.Do {
	return map[devattach.Action]attachment.Do{
		devattach.Rebuild: d.onService(event.Rebuild, commands),
		devattach.Restart: d.onService(event.Restart, commands),
		devattach.Apply: func(ctx context.Context, _ json.RawMessage) (any, error) {
			return d.order(ctx, Command{Unit: manifestsUnit, Action: event.Apply}, commands)
		},
		devattach.Configure: d.configure(commands),
		devattach.Examine: d.onProject(func(ctx context.Context, s *Stack, _ json.RawMessage) (any, error) {
			findings, err := s.Examine(ctx)
			return devattach.Findings{Findings: findings}, err
		}),
		devattach.Propose: d.onProject(func(_ context.Context, s *Stack, argument json.RawMessage) (any, error) {
			var of devattach.Folder
			if err := json.Unmarshal(argument, &of); err != nil {
				return nil, fmt.Errorf("reading which folder: %w", err)
			}
			return s.Propose(of.Folder)
		}),
	}
}

// onProject is an action that looks at the project as it is on disk, and changes nothing:
// it waits for no other.
func (d *Dev) onProject(look func(context.Context, *Stack, json.RawMessage) (any, error)) attachment.Do {
	return func(ctx context.Context, argument json.RawMessage) (any, error) {
		cfg, err := Load(d.cfg.Root, d.cfg.Env, d.cfg.Instance, d.cfg.Namespace, d.cfg.Only)
		if err != nil {
			return nil, err
		}
		s, err := Open(cfg, event.Discard, Options{})
		if err != nil {
			return nil, err
		}
		defer s.Close()
		return look(ctx, s, argument)
	}
}

// errNotUp says that nothing can be done yet.
var errNotUp = &devattach.Failure{Code: devattach.Conflict, Text: "the zr dev still brings the environment up"}

// onService is an action on the service that its argument names.
func (d *Dev) onService(action event.Action, commands chan<- Command) attachment.Do {
	return func(ctx context.Context, argument json.RawMessage) (any, error) {
		var of devattach.Service
		if err := json.Unmarshal(argument, &of); err != nil {
			return nil, fmt.Errorf("reading what to %s: %w", action, err)
		}
		f := d.facts.Load()
		if f == nil {
			return nil, errNotUp
		}
		if !slices.ContainsFunc(f.wiring, func(w wiring) bool { return w.request.Service == of.Service }) {
			return nil, &devattach.Failure{Code: devattach.NotFound, Text: fmt.Sprintf("zr dev builds no service %q of this environment", of.Service)}
		}
		return d.order(ctx, Command{Unit: of.Service, Action: action}, commands)
	}
}

// order gives a command, as a key does, and waits for the trace of what was done.
func (d *Dev) order(ctx context.Context, c Command, commands chan<- Command) (any, error) {
	begin := time.Now()
	traces, end := d.traces.watch(c.Unit)
	defer end()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case commands <- c:
	}
	trace, err := awaitTrace(ctx, traces, begin)
	if err != nil {
		return nil, err
	}
	if trace.Error != "" {
		return nil, &devattach.Failure{Code: devattach.Failed, Text: trace.Error}
	}
	return trace, nil
}

// awaitTrace waits for the first trace of what was saved, or ordered, since a time.
func awaitTrace(ctx context.Context, traces <-chan event.Reload, since time.Time) (event.Reload, error) {
	for {
		select {
		case <-ctx.Done():
			return event.Reload{}, ctx.Err()
		case trace := <-traces:
			if !trace.Saved.Before(since) {
				return trace, nil
			}
		}
	}
}

// traces are those of the reloads of a `zr dev`, for who waits for one. They are safe
// for concurrent use.
type traces struct {
	mu       sync.Mutex
	watchers map[chan event.Reload]string // the unit that each waits for
}

// Emit is part of event.Sink.
func (t *traces) Emit(e event.Event) {
	trace, ok := e.(event.Reload)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for to, unit := range t.watchers {
		if unit == trace.Service {
			select {
			case to <- trace:
			default: // who waits has enough to read
			}
		}
	}
}

// watch returns the traces of a unit from now on.
func (t *traces) watch(unit string) (<-chan event.Reload, func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watchers == nil {
		t.watchers = map[chan event.Reload]string{}
	}
	to := make(chan event.Reload, 64)
	t.watchers[to] = unit
	return to, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.watchers, to)
	}
}
