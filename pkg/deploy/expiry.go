package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"zr/pkg/deploy/manifest"
)

// The annotations of a Namespace that somebody has for a time: until when, in
// RFC 3339, and the ApplySet that is in it.
const (
	expiresAnnotation = "zr.dev/expires"
	setAnnotation     = "zr.dev/set"
)

// expiryManager owns these fields, which are in no manifest: an apply leaves them.
const expiryManager = "zr-expiry"

// Expired is an environment whose time has run out.
type Expired struct {
	Set       string
	Namespace string
	Since     time.Time
}

// Keep notes that the namespace of the set is wanted until a time. One that is
// not the set's own has no time to live: somebody else has made it.
func (d *Deployer) Keep(ctx context.Context, until time.Time) error {
	namespace, err := d.get(ctx, manifest.NamespaceKind, "", d.namespace)
	if err != nil || namespace == nil || namespace.GetLabels()[manifest.PartOfLabel] != manifest.SetID(d.set, d.namespace) {
		return reachable(err)
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{
		expiresAnnotation: until.UTC().Format(time.RFC3339), setAnnotation: d.set,
	}}})
	if err != nil {
		return err
	}
	_, err = d.resource(manifest.NamespaceKind, "").Patch(ctx, d.namespace, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: expiryManager})
	if err != nil {
		return reachable(fmt.Errorf("noting until when namespace %q is wanted: %w", d.namespace, err))
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
		return nil, reachable(err)
	}
	var out []Expired
	for _, n := range namespaces {
		set := n.GetAnnotations()[setAnnotation]
		since, err := time.Parse(time.RFC3339, n.GetAnnotations()[expiresAnnotation])
		if err != nil || !since.Before(now) || n.GetDeletionTimestamp() != nil || n.GetLabels()[manifest.PartOfLabel] != manifest.SetID(set, n.GetName()) {
			continue
		}
		out = append(out, Expired{set, n.GetName(), since})
	}
	return out, nil
}
