package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"golang.org/x/sync/errgroup"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/state"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// The steps that Apply and Remove report their progress for.
const (
	StepApply  = "apply"
	StepRemove = "remove"
)

// pollInterval is how often a wait looks again, where the API offers nothing
// to watch that is simpler.
const pollInterval = 100 * time.Millisecond

// Apply makes the cluster say what is rendered, as Diff found it, in the order
// of stages. It may be interrupted at any point: the next Diff finds what is
// left. The parent names every kind before the first object of it is made.
func (d *Deployer) Apply(ctx context.Context, r *render.Rendered, cs *ChangeSet, sink event.Sink) error {
	return d.ApplyAhead(ctx, r, cs, sink, func(context.Context, []string) error { return nil })
}

// ApplyAhead is Apply while images are still on their way. Before it writes an
// object that has pods it calls arrived with their images, as the manifests
// name them, and goes on when that returns; it is called from several
// goroutines.
func (d *Deployer) ApplyAhead(ctx context.Context, r *render.Rendered, cs *ChangeSet, sink event.Sink, arrived func(context.Context, []string) error) error {
	if cs.Empty() {
		return nil
	}
	a := &application{d: d, r: r, cs: cs, sink: sink, arrived: arrived}
	for _, i := range cs.items {
		if i.write {
			a.total++
		}
	}
	a.total += int64(len(cs.pruned))
	err := a.run(ctx)
	for _, text := range a.remarks.sorted() {
		sink.Emit(event.Notice{Text: hideSecrets(text, r.Hidden)})
	}
	if err != nil {
		return d.lost(ctx, d.reachable(fmt.Errorf("applying %q: %w", r.Set, err)))
	}
	return nil
}

// lost says what is left where a request found no answer in the midst of an apply. The
// error names the request.
func (d *Deployer) lost(ctx context.Context, err error) error {
	var unanswered *url.Error
	if ctx.Err() != nil || fault.HintOf(err) != "" || !errors.As(err, &unanswered) {
		return err
	}
	return fault.Hint(err, "what was applied stays; `"+d.Lines.Zr("up")+"` does the rest when the cluster answers again")
}

// application is one Apply under way.
type application struct {
	d     *Deployer
	r     *render.Rendered
	cs    *ChangeSet
	sink  event.Sink
	total int64
	done  atomic.Int64

	arrived func(ctx context.Context, images []string) error

	remarks warnings
}

func (a *application) run(ctx context.Context) error {
	for s := manifest.StageNamespace; s < manifest.Stages; s++ {
		if s == manifest.StageNamespace+1 {
			if err := a.announce(ctx); err != nil {
				return err
			}
		}
		if s == manifest.ServiceKind.Stage {
			if err := a.release(ctx); err != nil {
				return err
			}
		}
		if err := a.stage(ctx, s); err != nil {
			return err
		}
	}
	if err := a.prune(ctx); err != nil {
		return err
	}
	return a.conclude(ctx)
}

// announce writes to the parent what the set is about to contain, while
// keeping what it contained: whoever is interrupted after that leaves nothing
// that cannot be found.
func (a *application) announce(ctx context.Context) error {
	before := a.cs.before
	if before != nil && before.Covers(a.cs.after) {
		return nil
	}
	union := state.NewParent(a.r.Set, a.r.Namespace)
	if before != nil {
		union = before.Clone()
	}
	union.Include(a.cs.after)
	return a.d.writeParent(ctx, union)
}

// conclude writes to the parent what the set contains now.
func (a *application) conclude(ctx context.Context) error {
	if err := a.d.leave(ctx, a.cs.moved); err != nil {
		return err
	}
	for _, i := range a.cs.items {
		a.cs.after.Records[manifest.Key(i.object.Unstructured)] = i.record
	}
	if a.cs.before != nil && a.cs.before.Equal(a.cs.after) {
		return nil
	}
	return a.d.writeParent(ctx, a.cs.after)
}

func (d *Deployer) writeParent(ctx context.Context, p *state.Parent) error {
	m, err := p.Object()
	if err != nil {
		return err
	}
	if _, err := d.patch(ctx, &render.Object{Unstructured: m, Kind: manifest.SecretKind}, true, false); err != nil {
		return fmt.Errorf("noting what belongs to ApplySet %q: %w", p.Set, err)
	}
	return nil
}

// stage applies the objects of one stage, several at once, and reports every
// one that fails.
func (a *application) stage(ctx context.Context, s manifest.Stage) error {
	g, gctx := errgroup.WithContext(ctx)
	turns := make(chan struct{}, parallel) // taken when there is something to send
	refused := make([]error, len(a.cs.items))
	for n, i := range a.cs.items {
		if i.object.Kind.Stage != s || !i.write {
			continue
		}
		g.Go(func() error {
			if images := i.object.Images; len(images) > 0 {
				if err := a.arrived(gctx, images); err != nil {
					return err
				}
			}
			turns <- struct{}{}
			defer func() { <-turns }()
			err := a.apply(a.remarks.in(gctx, manifest.Name(i.object.Unstructured)), i)
			var verdict *refusal
			if errors.As(err, &verdict) {
				refused[n] = err
				return nil
			}
			if err == nil {
				a.progress(i.object.Unstructured)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return errors.Join(refused...)
}

func (a *application) progress(m *unstructured.Unstructured) {
	a.sink.Emit(event.StepProgress{Step: StepApply, Done: a.done.Add(1), Total: a.total, Unit: "objects", Detail: m.GetKind() + " " + m.GetName()})
}

// apply writes one object and notes what the server made of it.
func (a *application) apply(ctx context.Context, i *item) error {
	o := i.object
	if i.action == Replaced {
		if err := a.d.remove(ctx, o.Kind, i.live); err != nil {
			return err
		}
	}
	if i.live != nil && (i.action == Created || i.action == Replaced) {
		a.sink.Emit(event.StepProgress{Step: StepApply, Done: a.done.Load(), Total: a.total, Unit: "objects", Detail: fmt.Sprintf("waiting for %s to go", manifest.Name(i.live))})
		if err := a.d.gone(ctx, o.Kind, i.live); err != nil {
			return err
		}
	}
	for _, m := range a.cs.holders(o) {
		if err := a.d.remove(ctx, m.kind, m.live); err != nil {
			return err
		}
	}
	if i.overwrite != nil {
		if err := a.d.overwrite(ctx, i); err != nil {
			return a.d.refused(a.r, o, err)
		}
	}
	if i.reclaim {
		if err := a.d.reclaim(ctx, i); err != nil {
			return a.d.refused(a.r, o, err)
		}
	}
	written, err := a.write(ctx, i)
	if err != nil {
		return a.d.refused(a.r, o, err)
	}
	if err := i.record.Note(written); err != nil {
		return err
	}
	a.tell(i, written)
	switch {
	case o.Kind.Stage == manifest.StageDefinition:
		return a.d.established(ctx, o)
	case o.GetKind() == "StatefulSet" && i.action == Configured:
		return a.d.unstick(ctx, o, written)
	}
	return nil
}

// tries is how often an object is tried that the server may refuse for a moment only.
// It does not judge by a new definition at once. A port of the node is free when the
// Service that gives it up, in the same stage, has been applied.
const tries = 20

// write applies an object.
func (a *application) write(ctx context.Context, i *item) (written *unstructured.Unstructured, err error) {
	for range tries {
		written, err = a.d.patch(ctx, i.object, i.force, false)
		if err == nil || !(i.yielded && portTaken(err)) && !redefines(a.r, i.object.Kind, a.cs.before) {
			break
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pollInterval):
		}
	}
	return written, err
}

// gone waits until an object that is being deleted does not exist any more.
func (d *Deployer) gone(ctx context.Context, k manifest.Kind, live *unstructured.Unstructured) error {
	return poll(ctx, fmt.Sprintf("waiting for %s to go", manifest.Name(live)), func() (bool, error) {
		now, err := d.get(ctx, k, live.GetNamespace(), live.GetName())
		return now == nil || now.GetUID() != live.GetUID(), err
	})
}

// established waits until the server serves what a definition defines.
func (d *Deployer) established(ctx context.Context, o *render.Object) error {
	looks := 0
	return poll(ctx, fmt.Sprintf("waiting for %s to be served", manifest.Name(o.Unstructured)), func() (bool, error) {
		now, err := d.get(ctx, o.Kind, "", o.GetName())
		if err != nil || now == nil {
			return false, err
		}
		for _, condition := range manifest.Items(manifest.At(now.Object, "status"), "conditions") {
			switch is := manifest.Text(condition, "status"); manifest.Text(condition, "type") {
			case "NamesAccepted":
				// Another definition has them. Of one that was just fixed,
				// the server still says so for a moment.
				if looks++; is == "False" && looks > 10 {
					return false, fmt.Errorf("%s is not served: %s", manifest.Name(now), manifest.Text(condition, "message"))
				}
			case "Established":
				if is == "True" {
					return true, nil
				}
			}
		}
		return false, nil
	})
}

// patience is how long one wait may take when the context has no earlier
// deadline: twice the longest grace period that is usual for a database, plus
// room for the volumes.
const patience = 3 * time.Minute

// poll looks until there is nothing to wait for or the context ends. A
// finalizer that nobody removes would keep it waiting for ever.
func poll(ctx context.Context, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not done after %s", patience))
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if ok, err := done(); ctx.Err() == nil && (ok || err != nil) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// prune deletes the members of the set that are no longer rendered, from the
// last stage to the first.
func (a *application) prune(ctx context.Context) error {
	for _, m := range a.cs.pruned {
		if err := a.d.remove(ctx, m.kind, m.live); err != nil {
			return err
		}
		a.progress(m.live)
	}
	return nil
}
