package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/state"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// Remove deletes the environment's objects, from the last stage to the first,
// and waits until its pods are gone. Claims, namespaces and definitions stay,
// unless purge says that the data goes too. A namespace in which somebody else
// has something stays in any case, and so does a definition of which somebody
// else has objects, with a notice. An environment that does not exist is no
// error.
func (d *Deployer) Remove(ctx context.Context, sink event.Sink, purge bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not done after %s", patience))
	defer cancel()
	if err := d.takeDown(ctx, sink, purge); err != nil {
		return d.reachable(fmt.Errorf("removing %q: %w", d.set, err))
	}
	return nil
}

func (d *Deployer) takeDown(ctx context.Context, sink event.Sink, purge bool) error {
	parents, err := d.findParents(ctx, purge)
	if err != nil {
		return err
	}
	for _, p := range parents {
		if err := d.takeDownSet(ctx, p, sink, purge); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deployer) takeDownSet(ctx context.Context, p *state.Parent, sink event.Sink, purge bool) error {
	members, err := d.members(ctx, p)
	if err != nil {
		return err
	}
	removal := &removal{d: d, parent: p, sink: sink}
	slices.SortStableFunc(members, func(a, b member) int { return int(b.kind.Stage) - int(a.kind.Stage) })
	var kept, goes []member
	for _, m := range members {
		if m.kind.Keep || !purge && opens(m, members) {
			kept = append(kept, m)
		} else {
			goes = append(goes, m)
		}
	}
	removal.total = int64(len(goes))
	asked := goes
	if purge {
		removal.total += int64(len(kept))
		asked = slices.DeleteFunc(slices.Clone(members), func(m member) bool { return m.kind == manifest.NamespaceKind }) // it may stay
	}
	if err := d.mayDelete(ctx, asked, "is to go", ""); err != nil {
		return err
	}
	for _, m := range goes {
		if err := removal.one(ctx, m); err != nil {
			return err
		}
	}
	if err := removal.podsGone(ctx, podsOf(members)); err != nil {
		return err
	}
	if !purge {
		return removal.shrink(ctx, kept)
	}
	// Until its pods were gone, a StatefulSet may have made further claims.
	if members, err = d.members(ctx, p); err != nil {
		return err
	}
	kept = slices.DeleteFunc(members, func(m member) bool { return !m.kind.Keep })
	removal.total = removal.done + int64(len(kept))
	return removal.purge(ctx, kept)
}

// opens says whether a member is the Secret that the volumes among the members
// were made with: it stays as long as they do, or nobody gets into them.
func opens(m member, members []member) bool {
	return m.kind == manifest.SecretKind && m.live.GetName() == render.SecretsName &&
		slices.ContainsFunc(members, func(other member) bool { return other.kind == manifest.ClaimKind })
}

// findParents returns the set's parents: one, none, or several where the
// namespace of its overlay changed.
func (d *Deployer) findParents(ctx context.Context, purge bool) ([]*state.Parent, error) {
	if d.namespace != "" {
		p, err := d.parentIn(ctx, d.namespace)
		if p == nil {
			return nil, err
		}
		return []*state.Parent{p}, err
	}
	out, err := d.parents(ctx)
	if err != nil {
		return nil, err
	}
	if !purge {
		out = slices.DeleteFunc(out, func(p *state.Parent) bool { return !p.Runs() })
	}
	if len(out) < 2 || d.Own {
		return out, nil
	}
	var namespaces, commands []string
	for _, p := range out {
		namespaces = append(namespaces, p.Namespace)
		commands = append(commands, d.byHand(p, purge))
	}
	return nil, fault.Hint(fmt.Errorf("it is in more than one namespace: %s", strings.Join(namespaces, ", ")),
		"remove the one that is left over by hand: `"+strings.Join(commands, "`, or `")+"`")
}

// parentIn reads the parent from the namespace that it has to be in. Whoever
// was interrupted before it was written may have left the namespace.
func (d *Deployer) parentIn(ctx context.Context, namespace string) (*state.Parent, error) {
	id := manifest.SetID(d.set, namespace)
	found, err := d.get(ctx, manifest.SecretKind, namespace, d.set)
	if err != nil {
		return nil, err
	}
	if found != nil && found.GetLabels()[state.IDLabel] == id {
		return state.ReadParent(found), nil
	}
	owner, err := d.get(ctx, manifest.NamespaceKind, "", namespace)
	if apierrors.IsForbidden(err) || (err == nil && (owner == nil || owner.GetLabels()[manifest.PartOfLabel] != id)) {
		return nil, nil
	}
	p := state.NewParent(d.set, namespace)
	p.Add(manifest.NamespaceKind, "")
	return p, err
}

// members lists everything in the set, claims of StatefulSets included.
func (d *Deployer) members(ctx context.Context, p *state.Parent) ([]member, error) {
	var mu sync.Mutex
	var out []member
	p = p.Clone()
	p.Kinds[manifest.ClaimKind.GroupKind()] = true  // made by controllers
	p.Kinds[manifest.SecretKind.GroupKind()] = true // see opens
	err := d.eachScope(ctx, p, func(scope) bool { return true }, func(ctx context.Context, at scope) error {
		found, err := d.list(ctx, at.kind, at.namespace, manifest.PartOfLabel+"="+manifest.SetID(p.Set, p.Namespace))
		if apierrors.IsForbidden(err) && at.kind.Keep {
			return nil // nobody who may not read it made it
		}
		mu.Lock()
		defer mu.Unlock()
		for i := range found {
			if at.kind.Keep || len(found[i].GetOwnerReferences()) == 0 {
				out = append(out, member{at.kind, &found[i]})
			}
		}
		return err
	})
	return out, err
}

// podSelector says which pods belong to a workload.
type podSelector struct {
	namespace string
	selector  labels.Selector
}

// podsOf returns the selectors of the workloads among the members.
func podsOf(members []member) []podSelector {
	var out []podSelector
	for _, m := range members {
		match, _, _ := unstructured.NestedStringMap(m.live.Object, "spec", "selector", "matchLabels")
		if m.kind.Stage == manifest.StageWorkload && len(match) > 0 {
			out = append(out, podSelector{m.live.GetNamespace(), labels.SelectorFromSet(match)})
		}
	}
	return out
}

// removal is one Remove under way.
type removal struct {
	d      *Deployer
	parent *state.Parent
	sink   event.Sink
	total  int64
	done   int64
}

func (r *removal) one(ctx context.Context, m member) error {
	if err := r.d.remove(ctx, m.kind, m.live); err != nil {
		return err
	}
	r.done++
	r.sink.Emit(event.StepProgress{Step: StepRemove, Done: r.done, Total: r.total, Unit: "objects", Detail: m.live.GetKind() + " " + m.live.GetName()})
	return nil
}

// podsGone waits for the pods of the workloads that were deleted.
func (r *removal) podsGone(ctx context.Context, workloads []podSelector) error {
	last := -1
	return poll(ctx, "waiting for the pods to go", func() (bool, error) {
		var left []string
		for _, w := range workloads {
			pods, err := r.d.list(ctx, manifest.PodKind, w.namespace, w.selector.String())
			if err != nil {
				return false, err
			}
			for _, pod := range pods {
				left = append(left, pod.GetName())
			}
		}
		if len(left) > 0 && len(left) != last {
			last = len(left)
			r.sink.Emit(event.StepProgress{Step: StepRemove, Done: r.done, Total: r.total, Unit: "objects", Detail: "waiting for " + strings.Join(left, ", ")})
		}
		return len(left) == 0, nil
	})
}

// shrink leaves in the parent what is still there.
func (r *removal) shrink(ctx context.Context, kept []member) error {
	p := state.NewParent(r.parent.Set, r.parent.Namespace)
	for _, m := range kept {
		if m.kind.Keep { // so that what runs can be told from what is kept
			p.Add(m.kind, m.live.GetNamespace())
		}
		if was, ok := r.parent.Records[manifest.Key(m.live)]; ok {
			p.Records[manifest.Key(m.live)] = was
		}
	}
	if p.Equal(r.parent) {
		return nil
	}
	return r.d.writeParent(ctx, p)
}

// purge deletes what holds data: claims, volumes and definitions, then the
// namespaces that nobody else uses. The parent goes last, and mostly with its
// namespace: as long as anything is left, a further purge finds it.
func (r *removal) purge(ctx context.Context, kept []member) error {
	slices.SortStableFunc(kept, func(a, b member) int { return int(b.kind.Stage) - int(a.kind.Stage) })
	for _, m := range kept {
		others, err := r.within(ctx, m)
		if err != nil {
			return err
		}
		if len(others) > 0 {
			r.sink.Emit(event.Notice{
				Text: fmt.Sprintf("%s stays: with it would go %s, which zr did not make", manifest.Name(m.live), strings.Join(others, ", ")),
				Hint: r.d.Lines.Kubectl("delete", strings.ToLower(m.kind.Kind), m.live.GetName()),
			})
			continue
		}
		if err := r.one(ctx, m); err != nil {
			return err
		}
		if err := r.d.gone(ctx, m.kind, m.live); err != nil {
			return err
		}
	}
	found, err := r.d.get(ctx, manifest.SecretKind, r.parent.Namespace, r.parent.Set)
	if err != nil || found == nil {
		return err
	}
	return r.d.remove(ctx, manifest.SecretKind, found)
}

// within returns what of others goes with a member: what is in a namespace,
// custom objects included, and the objects of a definition.
func (r *removal) within(ctx context.Context, m member) ([]string, error) {
	switch m.kind {
	case manifest.NamespaceKind:
		definitions, err := r.d.list(ctx, manifest.DefinitionKind, "", "")
		if err != nil && !apierrors.IsForbidden(err) {
			return nil, err
		}
		kinds := slices.Collect(maps.Values(manifest.Known))
		for i := range definitions {
			kinds = append(kinds, manifest.DefinedBy(&definitions[i]))
		}
		kinds = slices.DeleteFunc(kinds, func(k manifest.Kind) bool { return !k.Namespaced || k.Kind == "Endpoints" || k.Kind == "EndpointSlice" })
		return r.strangers(ctx, kinds, m.live.GetName())
	case manifest.DefinitionKind:
		return r.strangers(ctx, []manifest.Kind{manifest.DefinedBy(m.live)}, "")
	}
	return nil, nil
}

// strangers returns the objects that are neither of the set nor put there by
// the cluster, in one namespace or, where that is empty, in all.
func (r *removal) strangers(ctx context.Context, kinds []manifest.Kind, namespace string) ([]string, error) {
	id := manifest.SetID(r.parent.Set, r.parent.Namespace)
	var mu sync.Mutex
	var out []string
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, k := range kinds {
		g.Go(func() error {
			found, err := r.d.list(gctx, k, namespace, "")
			mu.Lock()
			defer mu.Unlock()
			for i := range found {
				if m := &found[i]; len(m.GetOwnerReferences()) == 0 && m.GetDeletionTimestamp() == nil && !ofCluster(m) &&
					m.GetLabels()[manifest.PartOfLabel] != id && m.GetLabels()[state.IDLabel] != id {
					out = append(out, manifest.Name(m))
				}
			}
			return err
		})
	}
	err := g.Wait()
	slices.Sort(out)
	return out, err
}

// ofCluster says whether the cluster puts the object into every namespace.
func ofCluster(m *unstructured.Unstructured) bool {
	return madeByCluster(m) || (m.GetKind() == "ConfigMap" && m.GetName() == "kube-root-ca.crt")
}
