// Package deploy makes a cluster say what a kustomize overlay says. Package render
// makes the objects, and package state says what the cluster keeps of them. This one
// finds out what would change, and applies that in order by server-side apply. It
// removes what is no longer rendered, and takes everything down again.
//
// What belongs to an environment is an ApplySet (KEP-3659): each of its
// objects carries the set's label, and a Secret in the environment's
// namespace, the parent, says which kinds to look for. The parent also holds,
// for each object, what was last applied and what the server made of it. An
// object for which both still hold needs no request at all, so that a run
// with nothing to do consists of a few lists.
package deploy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"zr/pkg/cmdline"
	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/fault"
	"zr/pkg/kube"
	"zr/pkg/kube/lean"
)

// parallel is how many requests are under way at once. A local API server on
// two cores gains nothing from more, and 8 hide the round trips to a far one.
const parallel = 8

// Deployer applies one environment to one cluster. It is safe for concurrent
// use; two applies of one set at once are not.
type Deployer struct {
	// Own says that the cluster is this environment's alone: what the set has
	// left in another namespace is removed. It is set before the first use.
	Own bool
	// Lines are the command lines that hints tell. It is set before the first
	// use.
	Lines cmdline.Run
	// ChangeSecrets lets a diff change values that a volume was made with. It
	// is set before the first use.
	ChangeSecrets bool

	client    *kube.Client
	objects   kube.Dynamic
	set       string
	namespace string

	mu    sync.Mutex
	asked map[schema.GroupVersion][]metav1.APIResource
}

// New returns a Deployer of the ApplySet for the cluster of a client. Namespace is
// where the set's parent is; empty, Remove looks for it in all namespaces. New
// does no I/O.
func New(client *kube.Client, set, namespace string) (*Deployer, error) {
	objects, err := client.Dynamic(warned)
	if err != nil {
		return nil, err
	}
	return &Deployer{client: client, objects: objects, set: set, namespace: namespace, asked: map[schema.GroupVersion][]metav1.APIResource{}}, nil
}

// resolve completes a kind that only the server knows. Only the list of the
// one API group is fetched, once.
func (d *Deployer) resolve(ctx context.Context, k manifest.Kind) (manifest.Kind, error) {
	if k.Resource != "" {
		return k, nil
	}
	resources, err := d.resourcesOf(ctx, k.GroupVersion())
	if err != nil {
		return k, err
	}
	for _, r := range resources {
		if r.Kind == k.Kind && !strings.Contains(r.Name, "/") { // not a subresource
			k.Resource, k.Namespaced = r.Name, r.Namespaced
			return k, nil
		}
	}
	return k, &unknownKind{k.GroupVersionKind}
}

// resourcesOf returns what the server serves of one version of an API group,
// nothing where it does not know it.
func (d *Deployer) resourcesOf(ctx context.Context, gv schema.GroupVersion) ([]metav1.APIResource, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if resources, ok := d.asked[gv]; ok {
		return resources, nil
	}
	path := "apis/" + gv.String()
	if gv.Group == "" {
		path = "api/" + gv.Version
	}
	var list metav1.APIResourceList
	if err := d.ask(ctx, path, &list); err != nil {
		return nil, err
	}
	if len(list.APIResources) > 0 { // otherwise a definition may be on its way
		d.asked[gv] = list.APIResources
	}
	return list.APIResources, nil
}

// fromGroupKind finds a kind of which only the name is known, in the version
// that the server prefers.
func (d *Deployer) fromGroupKind(ctx context.Context, gk schema.GroupKind) (manifest.Kind, error) {
	if k, ok := manifest.ByGroupKind(gk); ok {
		return k, nil
	}
	var group metav1.APIGroup
	if err := d.ask(ctx, "apis/"+gk.Group, &group); err != nil {
		return manifest.Kind{}, err
	}
	return d.resolve(ctx, manifest.Kind{GroupVersionKind: gk.WithVersion(group.PreferredVersion.Version), Stage: manifest.StageOther})
}

// ask reads a document of the discovery API. One that does not exist stays
// empty.
func (d *Deployer) ask(ctx context.Context, path string, into any) error {
	err := d.client.Get(ctx, path, nil, into)
	if err != nil && !lean.HasCode(err, http.StatusNotFound) {
		return fmt.Errorf("asking the cluster for %s: %w", path, err)
	}
	return nil
}

// unknownKind says that a cluster does not serve a kind.
type unknownKind struct{ gvk schema.GroupVersionKind }

func (e *unknownKind) Error() string {
	return fmt.Sprintf("the cluster serves no kind %s of %s", e.gvk.Kind, e.gvk.GroupVersion())
}

func isUnknownKind(err error) bool {
	var unknown *unknownKind
	return errors.As(err, &unknown)
}

// resource returns the client for objects of a kind.
func (d *Deployer) resource(k manifest.Kind, namespace string) kube.Objects {
	if k.Namespaced {
		return d.objects.Resource(k.GVR()).Namespace(namespace)
	}
	return d.objects.Resource(k.GVR())
}

// get returns an object, or nil where there is none.
func (d *Deployer) get(ctx context.Context, k manifest.Kind, namespace, name string) (*unstructured.Unstructured, error) {
	live, err := d.resource(k, namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s %q: %w", k.Kind, name, err)
	}
	return live, nil
}

// list returns the members of a set among the objects of a kind. An empty
// namespace means all.
func (d *Deployer) list(ctx context.Context, k manifest.Kind, namespace, selector string) ([]unstructured.Unstructured, error) {
	list, err := d.resource(k, namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", k.Resource, err)
	}
	// The items of a list may come without their kind.
	for i := range list.Items {
		list.Items[i].SetGroupVersionKind(k.GroupVersionKind)
	}
	return list.Items, nil
}

// patch applies an object, or asks what applying it would lead to.
func (d *Deployer) patch(ctx context.Context, o *render.Object, force, dryRun bool) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(o.Object)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", manifest.Name(o.Unstructured), err)
	}
	options := metav1.PatchOptions{FieldManager: manifest.FieldManager, Force: &force, FieldValidation: metav1.FieldValidationStrict}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	return d.resource(o.Kind, o.GetNamespace()).Patch(ctx, o.GetName(), types.ApplyPatchType, data, options)
}

// remove deletes exactly the object that was looked at. Its pods follow in the
// background.
func (d *Deployer) remove(ctx context.Context, k manifest.Kind, live *unstructured.Unstructured) error {
	uid, background := live.GetUID(), metav1.DeletePropagationBackground
	err := d.resource(k, live.GetNamespace()).Delete(ctx, live.GetName(), metav1.DeleteOptions{
		Preconditions:     &metav1.Preconditions{UID: &uid},
		PropagationPolicy: &background,
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting %s: %w", manifest.Name(live), err)
	}
	return nil
}

// reachable adds what to do to an error that says that there is no cluster.
func (d *Deployer) reachable(err error) error {
	if err == nil || fault.HintOf(err) != "" {
		return err
	}
	switch {
	case apierrors.IsUnauthorized(err), lean.HasCode(err, http.StatusUnauthorized):
		return fault.Hint(err, "the cluster does not accept the credentials of the kubeconfig: renew them")
	case apierrors.IsForbidden(err), lean.HasCode(err, http.StatusForbidden):
		return fault.Hint(err, cmp.Or(d.granted(err), "the user of the kubeconfig lacks a right on the cluster; `"+d.Lines.Kubectl("auth", "can-i", "--list", "--namespace", d.namespace)+"` shows those that are there"))
	}
	return err
}
