// Package kube is the namespace of the api, as pkg/kube/lean reaches it: its lists,
// and changes of its workloads. What the server refuses has a reason for pages.
package kube

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"zr/internal/api/reason"
	"zr/internal/api/traces"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// userAgent is how the api calls itself.
const userAgent = "zr-api"

// MountPath is where the kubelet mounts the credentials of a pod.
const MountPath = lean.MountPath

// ErrNotInCluster says that this process does not run in a pod with a service
// account.
var ErrNotInCluster = lean.ErrNotInCluster

// Client reads one namespace, and changes the workloads of it. It is safe for
// concurrent use.
type Client struct {
	api       *lean.Client
	namespace string
}

// InCluster returns the Client of the pod that this process runs in, or
// ErrNotInCluster. getenv is os.Getenv; mount is MountPath.
func InCluster(getenv func(string) string, mount string) (*Client, error) {
	api, namespace, err := lean.InCluster(getenv, mount, userAgent)
	if err != nil {
		return nil, err
	}
	traced := lean.New(api.URL(), traces.Transport("kubernetes", api.Transport()), userAgent)
	return &Client{traced, namespace}, nil
}

// Namespace returns the namespace that the Client reads.
func (c *Client) Namespace() string { return c.namespace }

// ReadNamespace returns the Namespace itself. That there is none is a *lean.StatusError
// with code 404.
func (c *Client) ReadNamespace(ctx context.Context) (n object.Namespace, err error) {
	if err := c.api.Get(ctx, lean.PathOf(object.Namespaces, "")+"/"+url.PathEscape(c.namespace), nil, &n); err != nil {
		return n, fmt.Errorf("reading namespace %q: %w", c.namespace, explained(err))
	}
	return n, nil
}

// WatchNamespace calls changed for each change of the Namespace after a version, as
// lean.Client.Watch does. The path is that of watches of one object: for a watch of the
// list a Role in the namespace is not enough.
func (c *Client) WatchNamespace(ctx context.Context, version string, changed func()) (string, error) {
	one := object.Namespaces
	one.Path, one.Name = one.Path+"/watch/"+one.Name, url.PathEscape(c.namespace)
	version, err := c.api.Watch(ctx, one, version, lean.ListOptions{}, func(lean.Change) { changed() })
	return version, explained(err)
}

// In returns a Client of another namespace of the same cluster.
func (c *Client) In(namespace string) *Client { return &Client{c.api, namespace} }

// Bindings lists the RoleBindings of all namespaces that labels select, and returns
// the version to watch them from.
func (c *Client) Bindings(ctx context.Context, labels string) ([]object.Object, string, error) {
	objects, version, err := c.api.List(ctx, object.RoleBindings, lean.ListOptions{Labels: labels})
	return objects, version, explained(err)
}

// WatchBindings passes changes of the RoleBindings that labels select to changed, as
// lean.Client.Watch does.
func (c *Client) WatchBindings(ctx context.Context, labels, version string, changed func(lean.Change)) (string, error) {
	return c.api.Watch(ctx, object.RoleBindings, version, lean.ListOptions{Labels: labels}, changed)
}

// List lists the objects of a resource in the namespace, of the version that the
// server has at hand, and returns that, to watch from. Fields is a selector; empty
// means all.
func (c *Client) List(ctx context.Context, r object.Resource, fields string) ([]object.Object, string, error) {
	objects, version, err := c.api.List(ctx, r, lean.ListOptions{Namespace: c.namespace, Fields: fields, Cached: true})
	return objects, version, explained(err)
}

// Watch passes changes of the objects of a resource in the namespace to changed, as
// lean.Client.Watch does.
func (c *Client) Watch(ctx context.Context, r object.Resource, fields, version string, changed func(lean.Change)) (string, error) {
	version, err := c.api.Watch(ctx, r, version, lean.ListOptions{Namespace: c.namespace, Fields: fields}, changed)
	return version, explained(err)
}

// Deployments lists the Deployments of the namespace.
func (c *Client) Deployments(ctx context.Context) ([]object.Workload, error) {
	return c.workloads(ctx, object.Deployments)
}

// StatefulSets lists the StatefulSets of the namespace.
func (c *Client) StatefulSets(ctx context.Context) ([]object.Workload, error) {
	return c.workloads(ctx, object.StatefulSets)
}

func (c *Client) workloads(ctx context.Context, r object.Resource) ([]object.Workload, error) {
	objects, _, err := c.List(ctx, r, "")
	var all []object.Workload
	for _, o := range objects {
		if w, ok := o.(*object.Workload); ok {
			all = append(all, *w)
		}
	}
	return all, err
}

// resources are those of the kinds that are changed.
var resources = map[string]object.Resource{object.Deployment: object.Deployments, object.StatefulSet: object.StatefulSets}

// fieldManager is under which name changes are recorded in the objects.
const fieldManager = "zr-api"

// Workload returns a Deployment or StatefulSet as it is now.
func (c *Client) Workload(ctx context.Context, kind, name string) (w object.Workload, err error) {
	if err := c.api.Get(ctx, c.path(kind, name), nil, &w); err != nil {
		return w, fmt.Errorf("reading %s %q: %w", kind, name, explained(err))
	}
	return w, nil
}

// Patch changes a Deployment or StatefulSet by a JSON merge patch and returns what
// it is then. Where the patch names a resourceVersion that the object no longer
// has, the error's reason is Conflict.
func (c *Client) Patch(ctx context.Context, kind, name string, patch any) (w object.Workload, err error) {
	return c.PatchWith(ctx, kind, name, lean.MergePatch, patch)
}

// PatchWith is Patch with a patch of a type of package lean.
func (c *Client) PatchWith(ctx context.Context, kind, name, patchType string, patch any) (w object.Workload, err error) {
	patch, err = marked(ctx, patch)
	if err != nil {
		return w, err
	}
	if err := c.api.Patch(ctx, c.path(kind, name), changing(false), patchType, patch, &w); err != nil {
		return w, fmt.Errorf("changing %s %q: %w", kind, name, explained(err))
	}
	return w, nil
}

// Read decodes the object of a name as the server has it, or without a name the list
// of all, into a value. That there is none is a *lean.StatusError with code 404.
func (c *Client) Read(ctx context.Context, r object.Resource, name string, into any) error {
	if err := c.api.Get(ctx, c.at(r, name), nil, into); err != nil {
		return fmt.Errorf("reading %s %q: %w", r.Name, name, explained(err))
	}
	return nil
}

// Change changes the object of a name by a JSON merge patch and decodes what it is then
// into a value; on trial the server says what it would be, and changes nothing. Where
// the patch names a resourceVersion that the object no longer has, the error's reason is
// Conflict.
func (c *Client) Change(ctx context.Context, r object.Resource, name string, patch any, trial bool, into any) error {
	patch, err := marked(ctx, patch)
	if err != nil {
		return err
	}
	if err := c.api.Patch(ctx, c.at(r, name), changing(trial), lean.MergePatch, patch, into); err != nil {
		return fmt.Errorf("changing %s %q: %w", r.Name, name, explained(err))
	}
	return nil
}

// ChangeUnseen is Change of an object whose content the api does not get to see: what
// the server answers is its metadata.
func (c *Client) ChangeUnseen(ctx context.Context, r object.Resource, name string, patch any, trial bool, into any) error {
	if err := c.api.PatchForMetadata(ctx, c.at(r, name), changing(trial), lean.MergePatch, patch, into); err != nil {
		return fmt.Errorf("changing %s %q: %w", r.Name, name, explained(err))
	}
	return nil
}

// changing is the query of a change.
func changing(trial bool) url.Values {
	query := url.Values{"fieldManager": {fieldManager}}
	if trial {
		query.Set("dryRun", "All")
	}
	return query
}

// Create makes an object; on trial the server says whether it would, and makes none.
func (c *Client) Create(ctx context.Context, r object.Resource, o any, trial bool) error {
	o, err := marked(ctx, o)
	if err != nil {
		return err
	}
	if err := c.api.Create(ctx, c.at(r, ""), changing(trial), o); err != nil {
		return fmt.Errorf("making one of %s: %w", r.Name, explained(err))
	}
	return nil
}

// Delete deletes the object of a name that has this UID, and what belongs to it.
func (c *Client) Delete(ctx context.Context, r object.Resource, name, uid string) error {
	options := map[string]any{"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "preconditions": map[string]any{"uid": uid}}
	if err := c.api.Delete(ctx, c.at(r, name), options); err != nil {
		return fmt.Errorf("deleting %s %q: %w", r.Name, name, explained(err))
	}
	return nil
}

func (c *Client) at(r object.Resource, name string) string {
	path := lean.PathOf(r, c.namespace)
	if name != "" {
		path += "/" + url.PathEscape(name)
	}
	return path
}

func (c *Client) path(kind, name string) string { return c.at(resources[kind], name) }

// API returns what speaks to the API server, with the rights of the pod.
func (c *Client) API() *lean.Client { return c.api }

// explained gives a refusal of the server its reason.
func explained(err error) error {
	for code, why := range map[int]string{http.StatusUnauthorized: reason.Auth, http.StatusForbidden: reason.Forbidden,
		http.StatusConflict: reason.Conflict, http.StatusTooManyRequests: reason.Busy} {
		if lean.HasCode(err, code) {
			return reason.With(why, err)
		}
	}
	return err
}
