package render

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/overlay"
)

// servicesOf returns the Services that are to lead to the pods of a workload:
// those that select them, and one of its name that selects no pods at all, which
// can only be meant for it.
func (r *Rendered) servicesOf(workload *unstructured.Unstructured, labels map[string]string) []string {
	var out []string
	for _, o := range r.Objects {
		selector := serviceSelector(o.Unstructured)
		if len(selector) == 0 || o.GetNamespace() != workload.GetNamespace() {
			continue
		}
		if selects(selector, labels) || o.GetName() == workload.GetName() && !r.selected(selector, o.GetNamespace()) {
			out = append(out, o.GetName())
		}
	}
	slices.Sort(out)
	return out
}

// selected tells whether a selector finds the pods of anything that is rendered.
func (r *Rendered) selected(selector map[string]string, namespace string) bool {
	return slices.ContainsFunc(r.Objects, func(o *Object) bool {
		labels, _, _ := unstructured.NestedStringMap(manifest.PodTemplate(o.Unstructured), "metadata", "labels")
		return o.GetNamespace() == namespace && selects(selector, labels)
	})
}

// LeadNowhere tells of the Services that select no pods of anything that is
// rendered. Where there are custom objects, an operator may make them.
func (r *Rendered) LeadNowhere() []string {
	if slices.ContainsFunc(r.Objects, func(o *Object) bool { _, ok := manifest.Known[o.GroupVersionKind()]; return !ok }) {
		return nil
	}
	var out []string
	for _, o := range r.Objects {
		selector := serviceSelector(o.Unstructured)
		if len(selector) > 0 && !r.selected(selector, o.GetNamespace()) {
			where := overlay.Locate(r.files, o.Unstructured, "")
			out = append(out, fmt.Sprintf("%s%s selects the pods of nothing in the overlay", where, manifest.Name(o.Unstructured)))
		}
	}
	return out
}

// serviceSelector returns the selector of a Service that has endpoints made for
// it, or nil.
func serviceSelector(m *unstructured.Unstructured) map[string]string {
	if m.GetKind() != "Service" || m.GroupVersionKind().Group != "" || manifest.Text(manifest.At(m.Object, "spec"), "type") == "ExternalName" {
		return nil
	}
	selector, _, _ := unstructured.NestedStringMap(m.Object, "spec", "selector")
	return selector
}

func selects(selector, labels map[string]string) bool {
	for label, value := range selector {
		if labels[label] != value {
			return false
		}
	}
	return len(selector) > 0
}
