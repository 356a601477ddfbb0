package deploy

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
)

// Absent returns those of the services that an environment has from another namespace
// which are not there. Who may not see that namespace is told of none.
func (d *Deployer) Absent(ctx context.Context, b render.Borrowed) ([]string, error) {
	if len(b.Services) == 0 {
		return nil, nil
	}
	there, err := d.list(ctx, manifest.ServiceKind, b.Namespace, "")
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, d.reachable(err)
	}
	return slices.DeleteFunc(slices.Clone(b.Services), func(name string) bool {
		return slices.ContainsFunc(there, func(s unstructured.Unstructured) bool { return s.GetName() == name })
	}), nil
}
