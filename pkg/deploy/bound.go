package deploy

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"zr/pkg/deploy/manifest"
)

var bindingKind = manifest.Known[schema.GroupVersionKind{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding"}]

// Bound says whether any namespace of the cluster has a RoleBinding with a label.
func (d *Deployer) Bound(ctx context.Context, label string) (bool, error) {
	found, err := d.list(ctx, bindingKind, "", label)
	if err != nil {
		return false, d.reachable(fmt.Errorf("looking for role bindings with %q: %w", label, err))
	}
	return len(found) > 0, nil
}
