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
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"

	"zr/pkg/fault"
)

// Foresee asks the server whether it will take what is rendered, and the pods
// that it is about, before there are any images: what it refuses need not be
// built first. It writes nothing. Rendered may not be pinned meanwhile.
func (d *Deployer) Foresee(ctx context.Context, r *Rendered) error {
	cs, err := d.Diff(ctx, r)
	if err != nil {
		return err
	}
	if err := errors.Join(d.mayWrite(ctx, r, cs), d.takesPods(ctx, r, cs)); err != nil {
		return reachable(fmt.Errorf("asking the cluster about %q: %w", r.Set, err))
	}
	return nil
}

// NeedsNamespace returns the fault of a namespace that nobody makes, for a
// cluster that does not exist yet and has none but its own.
func (r *Rendered) NeedsNamespace() error {
	if r.makesNamespace() || slices.Contains([]string{"default", "kube-system", "kube-public", "kube-node-lease"}, r.Namespace) {
		return nil
	}
	return fault.Hint(fmt.Errorf("namespace %q does not exist, and nothing makes it", r.Namespace),
		fmt.Sprintf("add a Namespace to the overlay: `{apiVersion: v1, kind: Namespace, metadata: {name: %s}}`", r.Namespace))
}

func (r *Rendered) makesNamespace() bool {
	return slices.ContainsFunc(r.objects, func(o *object) bool { return o.kind == namespaceKind && o.GetName() == r.Namespace })
}

func (r *Rendered) noNamespace() error {
	return fault.Hint(fmt.Errorf("namespace %q does not exist", r.Namespace), "add a Namespace to the overlay, or create it")
}

// mayWrite asks for the rights on a namespace that does not exist yet, where
// nothing can be tried.
func (d *Deployer) mayWrite(ctx context.Context, r *Rendered, cs *ChangeSet) error {
	if cs.before != nil || d.Own {
		return nil // who makes a cluster may do everything
	}
	var kinds []kind
	for _, i := range cs.items {
		if k := i.object.kind; k.namespaced && i.action == Created && !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	refused := make([]error, len(kinds))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for n, k := range kinds {
		g.Go(func() error {
			for _, verb := range []string{"create", "patch"} {
				allowed, err := d.may(gctx, verb, k, r.Namespace)
				if err != nil {
					return err
				}
				if !allowed && refused[n] == nil {
					refused[n] = fault.Hint(fmt.Errorf("the user of the kubeconfig may not %s %s in namespace %q", verb, k.resource, r.Namespace),
						"have somebody who may grant the right, or name another context")
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return errors.Join(refused...)
}

// mayPrune asks for the rights to delete what is no longer rendered, which comes
// last in an apply: no dry run asks for them before.
func (d *Deployer) mayPrune(ctx context.Context, cs *ChangeSet) error {
	if d.Own {
		return nil
	}
	type place struct {
		kind      kind
		namespace string
	}
	asked := map[place]bool{}
	var refused []error
	for _, m := range cs.pruned {
		at := place{m.kind, m.live.GetNamespace()}
		if asked[at] {
			continue
		}
		asked[at] = true
		allowed, err := d.may(ctx, "delete", m.kind, at.namespace)
		if err != nil {
			return err
		}
		if !allowed {
			refused = append(refused, fault.Hint(fmt.Errorf("%s is no longer rendered, and the user of the kubeconfig may not delete %s in namespace %q", name(m.live), m.kind.resource, at.namespace),
				"have somebody who may grant the right, or delete it; or keep it in the overlay"))
		}
	}
	return errors.Join(refused...)
}

var reviewKind = kind{GroupVersionKind: schema.GroupVersionKind{Group: "authorization.k8s.io", Version: "v1", Kind: "SelfSubjectAccessReview"}, resource: "selfsubjectaccessreviews"}

// may asks whether the user has a right in a namespace.
func (d *Deployer) may(ctx context.Context, verb string, k kind, namespace string) (bool, error) {
	review := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": reviewKind.GroupVersion().String(), "kind": reviewKind.Kind,
		"spec": map[string]any{"resourceAttributes": map[string]any{"namespace": namespace, "verb": verb, "group": k.Group, "resource": k.resource}},
	}}
	answer, err := d.resource(reviewKind, "").Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("asking for the right to %s %s: %w", verb, k.resource, err)
	}
	allowed, _ := at(answer.Object, "status")["allowed"].(bool)
	return allowed, nil
}

// takesPods asks whether the server will take the pods of the workloads that
// change: a LimitRange, a quota, Pod Security and webhooks judge pods, and their
// controller is told, not the one who applies it.
func (d *Deployer) takesPods(ctx context.Context, r *Rendered, cs *ChangeSet) error {
	for _, i := range cs.items {
		if i.write && i.object.kind.stage <= stagePolicy || i.object.kind == namespaceKind && i.live == nil {
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
			_, err := d.objects.Resource(podKind.gvr()).Namespace(pod.GetNamespace()).Create(gctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
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
func podOf(o *object) *unstructured.Unstructured {
	template := podTemplate(o.Unstructured)
	if template == nil || o.kind == podKind {
		return nil // a bare pod was tried itself
	}
	pod := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod"}}
	pod.Object["metadata"] = map[string]any{
		"name": o.GetName(), "namespace": o.GetNamespace(),
		"labels": at(template, "metadata")["labels"], "annotations": at(template, "metadata")["annotations"],
	}
	pod.Object["spec"] = at(template, "spec")
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
