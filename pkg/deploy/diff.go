package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/overlay"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/state"
	"zr/pkg/fault"
	"zr/pkg/podconfig"
)

// Diff finds out what Apply would do, and writes nothing. What is unchanged since the
// last apply is known from a few lists. For the rest the server is asked. What it
// refuses is reported, all at once; then the change set, to be shown and not applied,
// has all else that would change.
func (d *Deployer) Diff(ctx context.Context, r *render.Rendered) (*ChangeSet, error) {
	cs, err := d.diff(ctx, r)
	if err != nil {
		return cs, d.reachable(fmt.Errorf("comparing %q with the cluster: %w", r.Set, err))
	}
	return cs, nil
}

func (d *Deployer) diff(ctx context.Context, r *render.Rendered) (*ChangeSet, error) {
	found, err := d.look(ctx, r)
	if err != nil {
		return nil, err
	}
	remarks := &warnings{}
	cs := &ChangeSet{Set: r.Set, Namespace: r.Namespace, before: found.parent, after: state.NewParent(r.Set, r.Namespace)}
	rendered := map[string]bool{}
	for _, o := range r.Objects {
		rendered[manifest.Key(o.Unstructured)] = true
	}
	for _, m := range found.members {
		if prunable(m) && !rendered[manifest.Key(m.live)] {
			cs.pruned = append(cs.pruned, m)
		}
	}
	if err := d.findMoved(ctx, cs, rendered); err != nil {
		return nil, err
	}
	slices.SortStableFunc(cs.pruned, func(a, b member) int { return int(b.kind.Stage) - int(a.kind.Stage) })
	cs.items = make([]*item, len(r.Objects))
	problems := make([]error, len(r.Objects))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, o := range r.Objects {
		g.Go(func() error {
			var err error
			cs.items[i], err = d.plan(remarks.in(gctx, manifest.Name(o.Unstructured)), r, o, found, cs)
			if yields := portTaken(err) && found.yields(r, o); yields || portTaken(err) && len(cs.holders(o)) > 0 {
				cs.items[i].yielded = yields
				cs.items[i].action, cs.items[i].write, err = cmp.Or(cs.items[i].action, Configured), true, nil
			}
			var verdict *refusal
			if errors.As(err, &verdict) {
				cs.items[i].action = Refused
				problems[i], err = err, nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	problems = append(problems, d.lockedOut(ctx, r, cs), d.mayPrune(ctx, cs))
	cs.Warnings = append(append(cs.Warnings, r.LeadNowhere()...), remarks.sorted()...)
	cs.close(r.Hidden)
	if err := errors.Join(problems...); err != nil {
		return cs, err
	}
	for _, i := range cs.items {
		if stopped(i.live) {
			cs.Stopped = append(cs.Stopped, i.object.GetName())
		}
		cs.after.Add(i.object.Kind, i.object.GetNamespace())
		if !i.write {
			cs.after.Records[manifest.Key(i.object.Unstructured)] = i.record
		}
	}
	cs.keepKinds(found.parent)
	cs.keepKinds(found.gone)
	return cs, nil
}

// prunable says whether a member of the set goes when it is no longer
// rendered. What a controller made from a member, with the same labels, goes
// with that one.
func prunable(m member) bool {
	return !m.kind.Keep && m.live.GetDeletionTimestamp() == nil && len(m.live.GetOwnerReferences()) == 0
}

// keepKinds leaves the kinds that are never pruned in the parent, so that a
// purge finds their objects.
func (cs *ChangeSet) keepKinds(before *state.Parent) {
	if before == nil {
		return
	}
	for gk := range before.Kinds {
		if k, ok := manifest.ByGroupKind(gk); ok && k.Keep {
			cs.after.Kinds[gk] = true
		}
	}
}

// plan decides what to do with one object.
func (d *Deployer) plan(ctx context.Context, r *render.Rendered, o *render.Object, found *live, cs *ChangeSet) (*item, error) {
	i := &item{object: o, live: found.objects[manifest.Key(o.Unstructured)]}
	if problem := misplaced(r, o); problem != nil {
		return i, &refusal{problem}
	}
	var was state.Record
	if found.parent != nil {
		was = found.parent.Records[manifest.Key(o.Unstructured)]
	}
	if i.record.Lent = lent(o, i.live, was); i.record.Lent {
		o = guest(o)
		i.object = o
	} else if i.live == nil || !cs.adopts(i.live.GetLabels()[manifest.PartOfLabel]) {
		if err := d.checkOwner(i.live, r.ID, was.Manifest != ""); err != nil {
			return i, &refusal{err}
		}
	}
	rendered, err := state.Hash(o.Unstructured)
	if err != nil {
		return nil, err
	}
	i.record.Manifest = rendered
	switch {
	case i.live == nil || i.live.GetDeletionTimestamp() != nil:
		return i, d.planCreate(ctx, r, i, found.away)
	case was.Manifest == rendered && was.Holds(i.live):
		i.action, i.record = Unchanged, was
		return i, nil
	case i.record.Lent && bare(o):
		i.action = Unchanged
		return i, nil
	}
	err = d.planChange(ctx, r, i, was)
	var verdict *refusal
	if errors.As(err, &verdict) && redefines(r, o.Kind, found.parent) {
		// The server still judges by the definition before.
		i.action, i.write, err = Configured, true, nil
	}
	return i, err
}

// misplaced says why an object cannot be in the cluster: nobody serves its
// kind, or it lacks the namespace that only the server knew it to need.
func misplaced(r *render.Rendered, o *render.Object) error {
	where := func() string { return overlay.Locate(r.Files(), o.Unstructured, "") + manifest.Name(o.Unstructured) }
	switch {
	case o.Kind.Resource == "" && o.Kind.GroupKind() == manifest.SecretClassKind.GroupKind():
		return fault.Hint(fmt.Errorf("%s: %w: it has no Secrets Store CSI driver", where(), &unknownKind{o.Kind.GroupVersionKind}),
			"`az aks enable-addons --addons azure-keyvault-secrets-provider --resource-group GROUP --name CLUSTER` adds it to a cluster of AKS")
	case o.Kind.Resource == "":
		return fault.Hint(fmt.Errorf("%s: %w", where(), &unknownKind{o.Kind.GroupVersionKind}),
			"correct apiVersion and kind, or add what defines them to the overlay or the cluster")
	case o.Kind.Namespaced && o.GetNamespace() == "":
		return fault.Hint(fmt.Errorf("%s has no namespace", where()), render.AddNamespace)
	}
	return nil
}

// planCreate has the server check an object that does not exist. It cannot
// while the namespace or the kind do not exist either.
func (d *Deployer) planCreate(ctx context.Context, r *render.Rendered, i *item, away bool) error {
	i.action, i.write = Created, true
	i.fields = compare(nil, i.object.Unstructured, r.Hidden)
	if i.live != nil || (away && i.object.Kind.Namespaced) || r.Defines(i.object.Kind) {
		return nil
	}
	_, err := d.patch(ctx, i.object, false, true)
	return d.refused(r, i.object, err)
}

// redefines says whether the definition of a kind is rendered, and not as it
// was applied last.
func redefines(r *render.Rendered, k manifest.Kind, before *state.Parent) bool {
	return slices.ContainsFunc(r.Objects, func(o *render.Object) bool {
		if o.Kind != manifest.DefinitionKind || manifest.DefinedBy(o.Unstructured).GroupKind() != k.GroupKind() {
			return false
		}
		rendered, err := state.Hash(o.Unstructured)
		return err == nil && (before == nil || before.Records[manifest.Key(o.Unstructured)].Manifest != rendered)
	})
}

// planChange asks the server what an apply would make of a live object.
func (d *Deployer) planChange(ctx context.Context, r *render.Rendered, i *item, was state.Record) error {
	if readsOthers(i.object, i.live) {
		i.action, i.write = Replaced, true
		i.fields = compare(i.live, i.object.Unstructured, r.Hidden)
		return d.rehearse(ctx, r, i.object)
	}
	if strayed(i.object.Unstructured, i.live) {
		return d.refused(r, i.object, d.planReclaim(ctx, i, r.Hidden))
	}
	i.object = keepStopped(keepReplicas(i.object, i.live), i.live)
	want, err := d.patch(ctx, i.object, false, true)
	if conflicts := conflictsOf(err); len(conflicts) > 0 {
		if others := foreign(conflicts, was, i.live); len(others) > 0 {
			return &refusal{conflictFault(i.object.Unstructured, others)}
		}
		i.force = true
		i.drifted = drifted(ctx, conflicts, i.live)
		want, err = d.patch(ctx, i.object, true, true)
	}
	if noDryRun(err) { // what would change shows when it is applied
		i.action, i.write = Configured, true
		return nil
	}
	if unchangeable(err) && i.object.Kind.Remake && !keptByNodes(i.live) {
		i.action, i.write = Replaced, true
		i.fields = compare(i.live, i.object.Unstructured, r.Hidden)
		return d.rehearse(ctx, r, i.object)
	}
	if over, overErr := d.planOverwrite(ctx, i, err); over != nil || overErr != nil {
		want, err = over, overErr
	}
	if err == nil {
		want, err = d.besideLive(ctx, i, want)
	}
	if err != nil {
		return d.refused(r, i.object, err)
	}
	i.fields = compare(i.live, want, r.Hidden)
	i.action = Unchanged
	if len(i.fields) > 0 {
		i.action = Configured
	}
	i.write = len(i.fields) > 0 || !state.SameOwnership(i.live, want)
	if !i.write {
		err = i.record.Note(i.live)
	}
	return err
}

// besideLive returns what the server makes of an object, and has the item's live object
// as the server had it then. A controller may have written since it was listed, and
// what that wrote is no change of zr's.
func (d *Deployer) besideLive(ctx context.Context, i *item, want *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	for range 5 { // a controller that writes without end is shown with what it writes
		if want.GetResourceVersion() == i.live.GetResourceVersion() {
			return want, nil
		}
		now, err := d.get(ctx, i.object.Kind, i.live.GetNamespace(), i.live.GetName())
		if err != nil || now == nil {
			return want, err
		}
		if i.live = now; want.GetResourceVersion() == now.GetResourceVersion() {
			return want, nil
		}
		if want, err = d.patch(ctx, i.object, i.force, true); err != nil {
			return nil, err
		}
	}
	return want, nil
}

// keptByNodes says whether a ConfigMap or Secret is immutable. A kubelet does not read
// it again as long as a pod of its node has it: what is made anew under its name
// reaches no pod, not even a new one.
func keptByNodes(live *unstructured.Unstructured) bool {
	immutable, _, _ := unstructured.NestedBool(live.Object, "immutable")
	return immutable && (live.GetKind() == "ConfigMap" || live.GetKind() == "Secret")
}

// rehearse has the server check an object that will be deleted and made again,
// under a name that is free: what it would refuse must not be deleted first.
func (d *Deployer) rehearse(ctx context.Context, r *render.Rendered, o *render.Object) error {
	twin := &render.Object{Unstructured: o.DeepCopy(), Kind: o.Kind}
	twin.SetName(twinName(o.GetName()))
	_, err := d.patch(ctx, twin, false, true)
	return d.refused(r, o, err)
}

// twinLimit is the shortest that the server allows for names, that of CronJobs:
// it leaves room for what its Jobs add.
const twinLimit = 52

func twinName(name string) string {
	const suffix = "-zr"
	return strings.TrimRight(name[:min(len(name), twinLimit-len(suffix))], "-.") + suffix
}

// unchangeable says whether the server refuses a change since the field cannot
// change, ever. There is no reason code for that, only words.
func unchangeable(err error) bool {
	return apierrors.IsInvalid(err) && slices.ContainsFunc(unchangeableWords, func(words string) bool {
		return strings.Contains(err.Error(), words)
	})
}

var unchangeableWords = []string{
	"immutable",
	"may not change once set",
	"may not change fields other than",
	"cannot change roleRef",
	"are forbidden",
	"updates to ",
	// A Deployment that is to be recreated from now on keeps what the server
	// filled in for rolling.
	"may not be specified when strategy",
}

// readsOthers says whether a bare pod runs with other values than those that
// it reads now. Nobody rolls it, and its annotation can change in place.
func readsOthers(o *render.Object, live *unstructured.Unstructured) bool {
	now, was := o.GetAnnotations(), live.GetAnnotations()
	return o.Kind == manifest.PodKind && (now[render.ConfigHashAnnotation] != was[render.ConfigHashAnnotation] ||
		now[podconfig.SettingsHashAnnotation] != was[podconfig.SettingsHashAnnotation])
}
