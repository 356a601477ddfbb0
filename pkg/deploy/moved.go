package deploy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/state"
)

// moved is what a set left in a namespace when its overlay got another one.
type moved struct {
	parent *state.Parent
	kept   []member
}

// parents returns the parents of the set in all namespaces, sorted.
func (d *Deployer) parents(ctx context.Context) ([]*state.Parent, error) {
	found, err := d.list(ctx, manifest.SecretKind, "", state.IDLabel)
	if err != nil {
		return nil, err
	}
	var out []*state.Parent
	for i := range found {
		m := &found[i]
		if m.GetName() == d.set && state.IsParent(m) {
			out = append(out, state.ReadParent(m))
		}
	}
	slices.SortFunc(out, func(a, b *state.Parent) int { return cmp.Compare(a.Namespace, b.Namespace) })
	return out, nil
}

// Others returns the names of the other environments that zr has on the cluster,
// sorted. Those that were taken down and keep their volumes count.
func (d *Deployer) Others(ctx context.Context) ([]string, error) {
	found, err := d.list(ctx, manifest.SecretKind, "", state.IDLabel)
	if err != nil {
		return nil, d.reachable(fmt.Errorf("looking for other environments: %w", err))
	}
	var out []string
	for i := range found {
		m := &found[i]
		if m.GetName() != d.set && state.IsParent(m) {
			out = append(out, m.GetName())
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// findMoved looks for the set in other namespaces, where it has none here yet,
// or one that was interrupted before its first apply was done. What is found
// goes where the cluster is the environment's own; on a cluster of others it
// may be somebody else's environment of the same name, and the user is told.
func (d *Deployer) findMoved(ctx context.Context, cs *ChangeSet, rendered map[string]bool) error {
	if cs.before != nil && len(cs.before.Records) > 0 {
		return nil
	}
	parents, err := d.parents(ctx)
	if apierrors.IsForbidden(err) {
		return nil // who may use a namespace may not always look into the others
	}
	if err != nil {
		return err
	}
	for _, p := range parents {
		if p.Namespace == cs.Namespace || !p.Runs() {
			continue
		}
		if !d.Own {
			cs.Warnings = append(cs.Warnings, fmt.Sprintf("%q was applied to namespace %q before, and what is there stays. If it was this overlay's namespace: %s",
				p.Set, p.Namespace, d.byHand(p, false)))
			continue
		}
		members, err := d.members(ctx, p)
		if err != nil {
			return err
		}
		old := moved{parent: p}
		volumes := ""
		for _, m := range members {
			switch {
			case rendered[manifest.Key(m.live)]: // not in a namespace, and the same as before
			case m.kind.Keep, opens(m, members):
				old.kept = append(old.kept, m)
				if m.kind.Kind == "PersistentVolumeClaim" {
					volumes = "; its volumes stay there, and are not those of the new one"
				}
			case prunable(m):
				cs.pruned = append(cs.pruned, m)
			}
		}
		cs.moved = append(cs.moved, old)
		cs.Warnings = append(cs.Warnings, fmt.Sprintf("the overlay's namespace was %q and is %q now: what runs in the old one is removed%s", p.Namespace, cs.Namespace, volumes))
	}
	return nil
}

// adopts says whether an object is of a set that moved to where it is now.
func (cs *ChangeSet) adopts(id string) bool {
	return slices.ContainsFunc(cs.moved, func(m moved) bool { return manifest.SetID(m.parent.Set, m.parent.Namespace) == id })
}

// leave notes in the parents of the old namespaces what is still there.
func (d *Deployer) leave(ctx context.Context, old []moved) error {
	for _, m := range old {
		found, err := d.get(ctx, manifest.SecretKind, m.parent.Namespace, m.parent.Set)
		if err != nil {
			return err
		}
		switch {
		case found == nil: // gone with its namespace
		case len(m.kept) == 0:
			err = d.remove(ctx, manifest.SecretKind, found)
		default:
			err = (&removal{d: d, parent: m.parent}).shrink(ctx, m.kept)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// byHand is what removes a set without zr, volumes only on a purge.
func (d *Deployer) byHand(p *state.Parent, purge bool) string {
	var kinds []string
	for gk := range p.Kinds {
		k, ok := manifest.ByGroupKind(gk)
		if ok && (!k.Namespaced || k.Keep && !purge) {
			continue
		}
		if !ok {
			k.Resource = strings.ToLower(gk.Kind)
		}
		kinds = append(kinds, schema.GroupResource{Group: gk.Group, Resource: k.Resource}.String())
	}
	slices.Sort(kinds)
	return d.Lines.Kubectl("-n", p.Namespace, "delete", strings.Join(kinds, ","), "-l", manifest.PartOfLabel+"="+manifest.SetID(p.Set, p.Namespace)) +
		" && " + d.Lines.Kubectl("-n", p.Namespace, "delete", "secret", p.Set)
}
