package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"zr/pkg/diagnose"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// Step is the name of the step that Wait reports for a service.
func Step(service string) string { return "health/" + service }

// Wait returns when every target is healthy, or when it is certain which are not. Each
// is gated as soon as those that it depends on are healthy, and has its own deadline
// from then on. One that is not meant to run is waited for until it is stopped, and
// holds up nobody. The error joins one fault per service, with the exit code
// fault.NotHealthy. It emits StepStarted with the deadline, StepDone or StepFailed per
// service, and ServiceState at each change.
func (g *Gate) Wait(ctx context.Context, targets []Target, sink event.Sink) error {
	if err := inOrder(targets); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &waiting{gate: g, sink: sink, informers: map[string]*followed{}, outcomes: map[string]*outcome{}, hopeful: map[string]bool{}}
	var informers sync.WaitGroup
	defer informers.Wait()
	defer cancel()
	for _, t := range targets {
		w.outcomes[t.Service] = &outcome{done: make(chan struct{})}
		if w.informers[t.Namespace] != nil {
			continue
		}
		f := &followed{informer: newInformer(g.kube, t.Namespace, append(kindsOf(targets), warnings)...), ended: make(chan struct{})}
		w.informers[t.Namespace] = f
		informers.Go(func() {
			defer close(f.ended)
			f.err = f.run(ctx)
		})
	}
	errs := make([]error, len(targets))
	g.each(targets, func(i int, t Target) {
		o := w.outcomes[t.Service]
		defer close(o.done)
		errs[i] = w.pass(ctx, t)
		o.healthy = errs[i] == nil
	})
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("waiting for the services: %w", err)
	}
	snapshots := map[string]*diagnose.Snapshot{}
	for ns, f := range w.informers {
		snapshots[ns], _, _ = f.look()
	}
	g.forget(snapshots)
	return errors.Join(errs...)
}

// waiting is one call of Wait.
type waiting struct {
	gate      *Gate
	sink      event.Sink
	informers map[string]*followed // by namespace
	outcomes  map[string]*outcome  // by service

	mu      sync.Mutex
	hopeful map[string]bool // services that are waited for, and not since they crash
}

// hopes notes whether a service may still come up by waiting.
func (w *waiting) hopes(service string, yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hopeful[service] = yes
}

// others tells whether another service than this one may still come up: what
// crashes may be waiting for it, although it does not say so in dependsOn.
func (w *waiting) others(service string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other, yes := range w.hopeful {
		if yes && other != service {
			return true
		}
	}
	return false
}

// followed is an informer that is kept current. err is why that ended early.
type followed struct {
	*informer
	ended chan struct{}
	err   error
}

// outcome is how the wait for one service ended; healthy is set before done
// is closed.
type outcome struct {
	done    chan struct{}
	healthy bool
}

// pass waits for the dependencies of a target, and then for the target.
func (w *waiting) pass(ctx context.Context, t Target) error {
	var open []string
	for _, d := range t.DependsOn {
		if o := w.outcomes[d]; o != nil {
			open = append(open, d)
		}
	}
	if len(open) > 0 {
		w.sink.Emit(event.ServiceState{Service: t.Service, State: event.Pending, Reason: waitsFor(open)})
	}
	var sick []string
	for _, d := range open {
		select {
		case <-w.outcomes[d].done:
			if !w.outcomes[d].healthy {
				sick = append(sick, d)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(sick) > 0 {
		w.sink.Emit(event.ServiceState{Service: t.Service, State: event.Pending, Reason: waitsFor(sick)})
		return fault.WithCode(fmt.Errorf("service %q %s", t.Service, waitsFor(sick)), fault.NotHealthy, "")
	}

	began := time.Now()
	deadline := began.Add(t.timeout())
	w.sink.Emit(event.StepStarted{Step: Step(t.Service), Title: "Waiting for " + t.Service, Deadline: deadline})
	w.hopes(t.Service, true)
	defer w.hopes(t.Service, false)
	one := newTargetWait(w, t, deadline)
	f, err := one.run(ctx)
	took := time.Since(began)
	if err != nil {
		w.sink.Emit(event.StepFailed{Step: Step(t.Service), Took: took, Error: err.Error(), Cancelled: ctx.Err() != nil})
		return err
	}
	if f.Stopped() {
		w.sink.Emit(event.ServiceState{Service: t.Service, State: event.Stopped, Reason: f.Rollout.Idle})
		w.sink.Emit(event.StepDone{Step: Step(t.Service), Took: took, Unchanged: one.asIs, Detail: "stopped: " + f.Rollout.Idle})
		return nil
	}
	if f.Healthy() {
		w.sink.Emit(event.ServiceState{Service: t.Service, State: event.Healthy, Build: f.Answer.Build})
		w.sink.Emit(event.StepDone{Step: Step(t.Service), Took: took, Unchanged: one.asIs, Detail: f.Said()})
		return nil
	}
	why := f.Wrong(t.subject())
	text := why.Text
	if len(why.Proof) > 0 {
		text += "\n    " + strings.Join(why.Proof, "\n    ")
	}
	if t.Advice != nil {
		why.Hint = cmp.Or(t.Advice(text), why.Hint)
	}
	w.sink.Emit(event.ServiceState{Service: t.Service, State: event.Unhealthy, Reason: why.Text, Build: f.Answer.Build})
	w.sink.Emit(event.StepFailed{Step: Step(t.Service), Took: took, Error: text, Hint: why.Hint})
	after := "" // a hopeless state is told before the deadline
	if !time.Now().Before(deadline) {
		after = " within " + t.timeout().String()
	}
	return fault.WithCode(fmt.Errorf("service %q is not healthy%s: %s", t.Service, after, text), fault.NotHealthy, why.Hint)
}

func waitsFor(services []string) string { return "waits for " + strings.Join(services, ", ") }

// inOrder checks that the dependencies can be waited for: names are unique,
// and no service depends on itself by way of others.
func inOrder(targets []Target) error {
	byName := map[string]Target{}
	for _, t := range targets {
		if _, twice := byName[t.Service]; twice {
			return fmt.Errorf("waiting for service %q: it is named twice", t.Service)
		}
		byName[t.Service] = t
	}
	done := map[string]bool{}
	var visit func(name string, path []string) error
	visit = func(name string, path []string) error {
		if i := slices.Index(path, name); i >= 0 {
			circle := append(path[i:], name)
			return fault.WithCode(fmt.Errorf("waiting for service %q: it depends on itself: %s", name, strings.Join(circle, " → ")),
				fault.Usage, "remove one of these from dependsOn")
		}
		t, ok := byName[name]
		if !ok || done[name] {
			return nil
		}
		for _, d := range t.DependsOn {
			if err := visit(d, append(slices.Clone(path), name)); err != nil {
				return err
			}
		}
		done[name] = true
		return nil
	}
	for _, t := range targets {
		if err := visit(t.Service, nil); err != nil {
			return err
		}
	}
	return nil
}
