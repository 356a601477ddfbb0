package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/internal/devloop"
	"zr/pkg/deploy/render"
	"zr/pkg/event"
	"zr/pkg/health"
)

const (
	// outsideLasts is how long something has to be otherwise than it was
	// applied before it counts: what this zr applies itself arrives by then.
	outsideLasts = time.Second
	// outsideAgain is how soon after it was fixed a change from outside counts
	// as one that comes back.
	outsideAgain = time.Minute
)

// wanted is a workload as it was applied.
type wanted struct {
	kind, name string
	reloaded   bool // it runs a dev image, in one pod
}

func (w wanted) source() string { return strings.ToLower(w.kind) + "/" + w.name }

// change is what somebody else did to a workload.
type change struct {
	what string // for people
	hint string
	fix  bool // applying it anew is what anybody would want
}

// changesOf compares what was applied with what the namespace holds.
func changesOf(applied []wanted, held health.Held) map[string]change {
	changes := map[string]change{}
	for _, w := range applied {
		at := slices.IndexFunc(held.Workloads, func(h health.Workload) bool { return h.Kind == w.kind && h.Name == w.name })
		switch {
		case at < 0:
			changes[w.source()] = change{
				what: "it is gone from the cluster: somebody deleted it, as `zr down` on another machine does",
				hint: "the key r, or a save of a manifest, brings it back; Ctrl-C leaves it as it is",
			}
		case !w.reloaded:
		case held.Workloads[at].PodLabels[render.DevLabel] == "":
			changes[w.source()] = change{
				what: "saves do not reach its pods: somebody applied it without `zr dev`, as `zr up` on another machine does",
				hint: "the key r, or a save of a manifest, takes it back; Ctrl-C leaves it as it is",
			}
		case held.Workloads[at].Replicas == 0:
			changes[w.source()] = change{
				what: "somebody scaled it to no pod: nobody answers, and saves reach nobody",
				hint: "end what scales it: under zr dev it is one pod", fix: true,
			}
		case held.Workloads[at].Replicas > 1:
			changes[w.source()] = change{
				what: fmt.Sprintf("somebody scaled it to %d pods: saves reach one of them, so that old and new code answer in turn", held.Workloads[at].Replicas),
				hint: "end what scales it: under zr dev it is one pod", fix: true,
			}
		}
	}
	return changes
}

// outsiders tells what somebody else does to an environment under `zr dev`, and
// has fixed what is no decision of theirs. It belongs to one goroutine.
type outsiders struct {
	sink   event.Sink
	stands map[string]string    // what is told of a workload, by its source
	fixed  map[string]time.Time // when it was fixed last
}

// see takes the changes that have lasted, and returns whether everything is to
// be applied anew.
func (o *outsiders) see(changes map[string]change, now time.Time) (apply bool) {
	for _, source := range slices.Sorted(maps.Keys(changes)) {
		c := changes[source]
		if last, again := o.fixed[source]; c.fix && (!again || now.Sub(last) > outsideAgain) {
			o.fixed[source], apply = now, true
			o.sink.Emit(event.Notice{Text: source + ": " + c.what + "; it is applied anew"})
			continue
		}
		if o.stands[source] != c.what {
			o.stands[source] = c.what
			o.sink.Emit(event.Problem{Source: source, Text: c.what + "\nhint: " + c.hint})
		}
	}
	return apply
}

// over clears what is as it was applied again.
func (o *outsiders) over(changes map[string]change) {
	for _, source := range slices.Sorted(maps.Keys(o.stands)) {
		if _, still := changes[source]; !still {
			delete(o.stands, source)
			o.sink.Emit(event.Problem{Source: source, Cleared: true})
		}
	}
}

// watchOutside follows what others do to the environment until ctx ends. It
// returns errGone when its namespace is deleted.
func (r *reloading) watchOutside(ctx context.Context, commands chan<- devloop.Command) error {
	var last atomic.Pointer[health.Held]
	namespace, seen := r.facts.Load().namespace, make(chan health.Held)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := r.on.gate.Follow(ctx, namespace, func(h health.Held) {
			last.Store(&h)
			select {
			case seen <- h:
			case <-ctx.Done():
			}
		})
		if ctx.Err() == nil {
			r.sink.Emit(event.Notice{Text: "what others do to the environment is not noticed: " + err.Error()})
		}
		return ctx.Err()
	})
	group.Go(func() error { return r.judgeOutside(ctx, namespace, seen, commands) })
	group.Go(func() error { return compareVerdicts(ctx, r.sink, r.containers, last.Load) })
	return group.Wait()
}

// judgeOutside acts on what was seen, once it has lasted.
func (d *Dev) judgeOutside(ctx context.Context, namespace string, seen <-chan health.Held, commands chan<- devloop.Command) error {
	o := &outsiders{sink: d.sink, stands: map[string]string{}, fixed: map[string]time.Time{}}
	defer o.over(nil) // the next reloading says it again where it still holds
	var held health.Held
	var lasted <-chan time.Time // nil while nothing is otherwise than it was applied
	applied := false            // meanwhile, by this zr
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case held = <-seen:
			if held.Gone {
				d.sink.Emit(event.Notice{Text: fmt.Sprintf("namespace %q was deleted by somebody else, with all data in it: everything is brought up again", namespace)})
				return errGone
			}
			changes := changesOf(d.facts.Load().applied, held)
			if o.over(changes); len(changes) > 0 && lasted == nil {
				lasted = time.After(outsideLasts)
			}
			continue
		case <-lasted:
			lasted = nil
		}
		switch changes := changesOf(d.facts.Load().applied, held); {
		case len(changes) == 0:
		case !d.env.idle():
			applied, lasted = true, time.After(outsideLasts)
		case applied: // what was applied is seen by the next time
			applied, lasted = false, time.After(outsideLasts)
		case o.see(changes, time.Now()):
			lasted = time.After(outsideLasts) // to see what became of it
			select {
			case commands <- devloop.Command{Unit: manifestsUnit, Action: event.Apply}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}
