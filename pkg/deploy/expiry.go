package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"zr/pkg/deploy/manifest"
	"zr/pkg/kube/object"
)

// expiryManager owns these fields, which are in no manifest: an apply leaves them.
const expiryManager = "zr-expiry"

// Expired is an environment whose time has run out.
type Expired struct {
	Set       string
	Namespace string
	Since     time.Time
}

// Keep notes that the namespace of the set is wanted until a time, and starts again what
// was stopped since the time before had run out. One that is not the set's own has no
// time to live: somebody else has made it.
func (d *Deployer) Keep(ctx context.Context, until time.Time) error {
	namespace, err := d.get(ctx, manifest.NamespaceKind, "", d.namespace)
	if err != nil || namespace == nil || namespace.GetLabels()[manifest.PartOfLabel] != manifest.SetID(d.set, d.namespace) {
		return d.reachable(err)
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{
		object.ExpiresAnnotation: until.UTC().Format(time.RFC3339), object.SetAnnotation: d.set,
	}}})
	if err != nil {
		return err
	}
	_, err = d.resource(manifest.NamespaceKind, "").Patch(ctx, d.namespace, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: expiryManager})
	if err != nil {
		return d.reachable(fmt.Errorf("noting until when namespace %q is wanted: %w", d.namespace, err))
	}
	return d.wake(ctx)
}

// wake gives the workloads of the set the replicas back that they had when their time
// ran out.
func (d *Deployer) wake(ctx context.Context) error {
	for _, kind := range []manifest.Kind{manifest.DeploymentKind, manifest.StatefulSetKind} {
		all, err := d.list(ctx, kind, d.namespace, manifest.PartOfLabel+"="+manifest.SetID(d.set, d.namespace))
		if err != nil {
			return d.reachable(err)
		}
		for _, o := range all {
			marks := o.GetAnnotations()
			n, _, _ := unstructured.NestedInt64(o.Object, "spec", "replicas")
			had, err := strconv.ParseInt(marks[object.StoppedReplicas], 10, 32)
			if err != nil || n != 0 || marks[object.StoppedBy] != object.StoppedByExpiry {
				continue
			}
			patch, err := json.Marshal(map[string]any{"spec": map[string]any{"replicas": had}, "metadata": map[string]any{"annotations": map[string]any{
				object.StoppedReplicas: nil, object.StoppedBy: nil, object.StoppedAt: nil,
			}}})
			if err != nil {
				return err
			}
			if _, err := d.resource(kind, d.namespace).Patch(ctx, o.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: expiryManager}); err != nil {
				return d.reachable(fmt.Errorf("starting %s %q again: %w", kind.Kind, o.GetName(), err))
			}
		}
	}
	return nil
}

// Expired returns the environments of the cluster whose time had run out by now.
// Who may not see its namespaces is told of none.
func (d *Deployer) Expired(ctx context.Context, now time.Time) ([]Expired, error) {
	namespaces, err := d.list(ctx, manifest.NamespaceKind, "", manifest.PartOfLabel)
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, d.reachable(err)
	}
	var out []Expired
	for _, n := range namespaces {
		set := n.GetAnnotations()[object.SetAnnotation]
		since, err := time.Parse(time.RFC3339, n.GetAnnotations()[object.ExpiresAnnotation])
		if err != nil || !since.Before(now) || n.GetDeletionTimestamp() != nil || n.GetLabels()[manifest.PartOfLabel] != manifest.SetID(set, n.GetName()) {
			continue
		}
		out = append(out, Expired{set, n.GetName(), since})
	}
	return out, nil
}
