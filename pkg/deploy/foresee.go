package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"golang.org/x/sync/errgroup"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/fault"
)

// Foresee asks the server whether it will take what is rendered, and the pods
// that it is about, before there are any images: what it refuses need not be
// built first. It writes nothing. Rendered may not be pinned meanwhile.
func (d *Deployer) Foresee(ctx context.Context, r *render.Rendered) error {
	cs, err := d.Diff(ctx, r)
	if err != nil {
		return err
	}
	if err := errors.Join(d.mayWrite(ctx, cs), d.takesPods(ctx, r, cs)); err != nil {
		return d.reachable(fmt.Errorf("asking the cluster about %q: %w", r.Set, err))
	}
	return nil
}

// mayWrite asks for the rights on a namespace that does not exist yet, where
// nothing can be tried.
func (d *Deployer) mayWrite(ctx context.Context, cs *ChangeSet) error {
	if cs.before != nil || d.Own {
		return nil // who makes a cluster may do everything
	}
	var rights []Right
	for _, i := range cs.items {
		k := i.object.Kind
		if !k.Namespaced || i.action != Created {
			continue
		}
		for _, verb := range []string{"create", "patch"} {
			if r := (Right{Verb: verb, Group: k.Group, Resource: k.Resource, For: "apply what is rendered"}); !slices.Contains(rights, r) {
				rights = append(rights, r)
			}
		}
	}
	return d.May(ctx, rights)
}

// mayPrune asks for the rights to delete what is no longer rendered, which comes
// last in an apply: no dry run asks for them before.
func (d *Deployer) mayPrune(ctx context.Context, cs *ChangeSet) error {
	return d.mayDelete(ctx, cs.pruned, "is no longer rendered", "; or delete it, or keep it in the overlay")
}

// mayDelete asks for the rights to delete objects of the set. why is said of the first
// of each kind that may not be deleted, and or what else can be done.
func (d *Deployer) mayDelete(ctx context.Context, members []member, why, or string) error {
	if d.Own {
		return nil
	}
	type scope struct {
		kind      manifest.Kind
		namespace string
	}
	asked := map[scope]bool{}
	var refused []error
	for _, m := range members {
		at := scope{m.kind, m.live.GetNamespace()}
		if asked[at] {
			continue
		}
		asked[at] = true
		allowed, err := d.review(ctx, map[string]any{"verb": "delete", "group": m.kind.Group, "resource": m.kind.Resource, "namespace": at.namespace})
		if err != nil {
			return err
		}
		if !allowed {
			user := d.user(ctx)
			refused = append(refused, fault.Hint(fmt.Errorf("%s %s, and %s may not delete %s in namespace %q", manifest.Name(m.live), why, whoIs(user), m.kind.Resource, at.namespace),
				d.grant(user, at.namespace, []Right{{Verb: "delete", Group: m.kind.Group, Resource: m.kind.Resource}})+or))
		}
	}
	return errors.Join(refused...)
}

// takesPods asks whether the server will take the pods of the workloads that change. A
// LimitRange, a quota, Pod Security and webhooks judge pods. What they say is told to
// the controller, and nobody else.
func (d *Deployer) takesPods(ctx context.Context, r *render.Rendered, cs *ChangeSet) error {
	for _, i := range cs.items {
		if i.write && i.object.Kind.Stage <= manifest.StagePolicy || i.object.Kind == manifest.NamespaceKind && i.live == nil {
			return nil // the rules change with this apply, and cannot be tried before
		}
	}
	refused := make([]error, len(cs.items))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for n, i := range cs.items {
		pod := podOf(i.object)
		if pod == nil || !i.write {
			continue
		}
		g.Go(func() error {
			_, err := d.objects.Resource(manifest.PodKind.GVR()).Namespace(pod.GetNamespace()).Create(gctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			if refusesPods(err, i.live == nil) {
				refused[n] = d.refused(r, i.object, err)
			}
			return gctx.Err() // who may not make pods themselves learns nothing
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return errors.Join(refused...)
}

// podOf returns a pod of a workload, or nil.
func podOf(o *render.Object) *unstructured.Unstructured {
	template := manifest.PodTemplate(o.Unstructured)
	if template == nil || o.Kind == manifest.PodKind {
		return nil // a bare pod was tried itself
	}
	pod := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod"}}
	pod.Object["metadata"] = map[string]any{
		"name": o.GetName(), "namespace": o.GetNamespace(),
		"labels": manifest.At(template, "metadata")["labels"], "annotations": manifest.At(template, "metadata")["annotations"],
	}
	pod.Object["spec"] = manifest.At(template, "spec")
	return (&unstructured.Unstructured{Object: pod.Object}).DeepCopy()
}

// refusesPods says whether an answer is a rule about pods as such, and nothing
// that is only missing yet. There are no codes for them, only words. A quota is
// asked for new workloads alone: another pod takes the place of one that goes.
func refusesPods(err error, fresh bool) bool {
	if err == nil || !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
		return false
	}
	said := func(words string) bool { return strings.Contains(err.Error(), words) }
	return said("usage per ") || said("max limit to request ratio per ") || // LimitRange
		said("failed quota: ") || fresh && said("exceeded quota: ") ||
		said("violates PodSecurity ") || said("admission webhook ") || said("ValidatingAdmissionPolicy ")
}
