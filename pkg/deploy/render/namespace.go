package render

import (
	"fmt"
	"slices"

	"zr/pkg/deploy/manifest"
	"zr/pkg/fault"
)

// NeedsNamespace returns the fault of a namespace that nobody makes, for a
// cluster that does not exist yet and has none but its own.
func (r *Rendered) NeedsNamespace() error {
	if r.MakesNamespace() || slices.Contains([]string{"default", "kube-system", "kube-public", "kube-node-lease"}, r.Namespace) {
		return nil
	}
	return fault.Hint(fmt.Errorf("namespace %q does not exist, and nothing makes it", r.Namespace),
		fmt.Sprintf("add a Namespace to the overlay: `{apiVersion: v1, kind: Namespace, metadata: {name: %s}}`", r.Namespace))
}

// MakesNamespace says whether the namespace of the workloads is among what is rendered.
func (r *Rendered) MakesNamespace() bool {
	return slices.ContainsFunc(r.Objects, func(o *Object) bool { return o.Kind == manifest.NamespaceKind && o.GetName() == r.Namespace })
}
