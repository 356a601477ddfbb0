package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"golang.org/x/sync/errgroup"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/state"
	"zr/pkg/fault"
)

// live is what the cluster holds of a set.
type live struct {
	mu      sync.Mutex
	objects map[string]*unstructured.Unstructured // rendered ones, by manifest.Key
	members []member                              // all of the set, of the kinds that were looked at
	parent  *state.Parent                         // nil where there is none
	gone    *state.Parent                         // the parent that goes with its namespace
	// away says that the namespace does not exist, or is about to go.
	away bool
}

// look reads everything that a diff needs, in one round of requests (and a
// second one for what is not in the set yet).
func (d *Deployer) look(ctx context.Context, r *render.Rendered) (*live, error) {
	for _, o := range r.Objects {
		k, err := d.resolve(ctx, o.Kind)
		if err != nil && !isUnknownKind(err) { // reported with all that is refused
			return nil, err
		}
		o.Kind = k
		o.DropNamespace()
	}
	l := &live{objects: map[string]*unstructured.Unstructured{}}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	g.Go(func() error { return l.readNamespace(gctx, d, r) })
	g.Go(func() error { return l.readParent(gctx, d, r) })
	for _, s := range scopesOf(r) {
		g.Go(func() error { return l.readMembers(gctx, d, s, r.ID) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := l.readOthers(ctx, d, r); err != nil {
		return nil, err
	}
	if l.away {
		l.forget(r.Namespace)
	}
	return l, l.readMissing(ctx, d, r)
}

// forget drops what goes with a namespace that is about to go.
func (l *live) forget(namespace string) {
	maps.DeleteFunc(l.objects, func(_ string, m *unstructured.Unstructured) bool { return m.GetNamespace() == namespace })
	l.members = slices.DeleteFunc(l.members, func(m member) bool { return m.live.GetNamespace() == namespace })
	if l.parent != nil {
		l.gone, l.parent = l.parent, nil
	}
}

// scope is where objects of a kind may be.
type scope struct {
	kind      manifest.Kind
	namespace string
}

// scopesOf returns the scopes whose members have to be listed: those of what
// is rendered. What is never pruned is read by name, which asks for fewer
// rights on a shared cluster.
func scopesOf(r *render.Rendered) []scope {
	var out []scope
	for _, o := range r.Objects {
		p := scope{o.Kind, ""}
		if o.Kind.Namespaced {
			p.namespace = o.GetNamespace()
		}
		if !o.Kind.Keep && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

func (l *live) readNamespace(ctx context.Context, d *Deployer, r *render.Rendered) error {
	namespace, err := d.get(ctx, manifest.NamespaceKind, "", r.Namespace)
	rendered := r.MakesNamespace()
	switch {
	case apierrors.IsForbidden(err) && !rendered:
		return nil // who may use a namespace may not always read it
	case err != nil:
		return err
	case namespace == nil && !rendered:
		return noNamespace(r.Namespace)
	}
	l.away = namespace == nil || namespace.GetDeletionTimestamp() != nil
	if namespace != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.objects[manifest.Key(namespace)] = namespace
	}
	return nil
}

func noNamespace(name string) error {
	return fault.Hint(fmt.Errorf("namespace %q does not exist", name), "add a Namespace to the overlay, or create it")
}

func (l *live) readParent(ctx context.Context, d *Deployer, r *render.Rendered) error {
	found, err := d.get(ctx, manifest.SecretKind, r.Namespace, r.Set)
	if err != nil || found == nil {
		return err
	}
	if !state.IsParent(found) {
		return fault.Hint(fmt.Errorf("%s, which would stand for the environment, exists and belongs to %s", manifest.Name(found), ownerOf(found)),
			"rename that Secret, or delete it")
	}
	l.parent = state.ReadParent(found)
	return nil
}

func (l *live) readMembers(ctx context.Context, d *Deployer, p scope, id string) error {
	if p.kind.Resource == "" {
		return nil // nobody serves it
	}
	found, err := d.list(ctx, p.kind, p.namespace, manifest.PartOfLabel+"="+id)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range found {
		l.members = append(l.members, member{p.kind, &found[i]})
		l.objects[manifest.Key(&found[i])] = &found[i]
	}
	return nil
}

// readOthers lists the kinds and namespaces that the set once had and that
// nothing is rendered for any more.
func (l *live) readOthers(ctx context.Context, d *Deployer, r *render.Rendered) error {
	if l.parent == nil {
		return nil
	}
	seen := scopesOf(r)
	return d.eachScope(ctx, l.parent, func(p scope) bool { return !p.kind.Keep && !slices.ContainsFunc(seen, p.same) },
		func(ctx context.Context, p scope) error { return l.readMembers(ctx, d, p, r.ID) })
}

// same compares scopes whatever the version of their kind.
func (p scope) same(other scope) bool {
	return p.kind.GroupKind() == other.kind.GroupKind() && p.namespace == other.namespace
}

// eachScope visits the scopes of a set's parent, several at once.
func (d *Deployer) eachScope(ctx context.Context, p *state.Parent, which func(scope) bool, visit func(context.Context, scope) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for gk := range p.Kinds {
		k, err := d.fromGroupKind(ctx, gk)
		if isUnknownKind(err) {
			continue // its definition is gone, and its objects with it
		}
		if err != nil {
			return err
		}
		scopes := []scope{{k, ""}}
		if k.Namespaced {
			scopes = []scope{{k, p.Namespace}}
			for namespace := range p.Namespaces {
				scopes = append(scopes, scope{k, namespace})
			}
		}
		for _, s := range scopes {
			if which(s) {
				g.Go(func() error { return visit(gctx, s) })
			}
		}
	}
	return g.Wait()
}

// readMissing reads by name what no list had: what is not in the set, be it
// that it does not exist or that it is somebody else's.
func (l *live) readMissing(ctx context.Context, d *Deployer, r *render.Rendered) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, o := range r.Objects {
		l.mu.Lock()
		_, there := l.objects[manifest.Key(o.Unstructured)]
		l.mu.Unlock()
		if there || o.Kind.Resource == "" || (l.away && o.GetNamespace() == r.Namespace) {
			continue
		}
		g.Go(func() error {
			found, err := d.get(gctx, o.Kind, o.GetNamespace(), o.GetName())
			if err != nil || found == nil {
				return err
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			l.objects[manifest.Key(o.Unstructured)] = found
			return nil
		})
	}
	return g.Wait()
}
