package render

import (
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/fault"
)

// moveTo puts what an overlay has in one namespace into another. What is outside of
// namespaces, or in a second one, would be the same for each who does that: it is
// refused.
func moveTo(manifests []*unstructured.Unstructured, from, to string) error {
	var problems []error
	for _, m := range manifests {
		k := manifest.KindOf(m.GroupVersionKind(), manifests)
		switch {
		case k == manifest.NamespaceKind && m.GetName() == from:
			m.SetName(to)
		case k.Resource != "" && !k.Namespaced, m.GetNamespace() != from:
			problems = append(problems, fmt.Errorf("%s is not in namespace %q", manifest.Name(m), from))
			continue
		default:
			m.SetNamespace(to)
		}
		for _, subject := range manifest.Items(m.Object, "subjects") { // of a RoleBinding
			if manifest.Text(subject, "namespace") == from {
				subject["namespace"] = to
			}
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fault.Hint(fmt.Errorf("putting all of it into namespace %q: %w", to, err), "an environment that people have a namespace of their own for has all in one; leave the rest to an overlay without it")
	}
	return nil
}

// makeNamespace adds the Namespace where the overlay has none: nobody makes those
// of people beforehand.
func makeNamespace(manifests []*unstructured.Unstructured, namespace string) []*unstructured.Unstructured {
	if slices.ContainsFunc(manifests, func(m *unstructured.Unstructured) bool {
		return manifest.KindOf(m.GroupVersionKind(), nil) == manifest.NamespaceKind
	}) {
		return manifests
	}
	return append(manifests, &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace}}})
}
