package render

import (
	"bytes"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"zr/pkg/deploy/manifest"
)

// Manifests returns what is rendered as YAML documents, in the order of an apply,
// for whoever applies it in zr's place. The Secret of the secrets is left out, and
// so is the label by which zr knows what is its own.
func (r *Rendered) Manifests() ([]byte, error) {
	var out bytes.Buffer
	for _, o := range r.Objects {
		if is(o.Unstructured, "Secret", SecretsName) && o.GetNamespace() == r.Namespace {
			continue
		}
		m := o.DeepCopy()
		unmark(m)
		text, err := yaml.Marshal(m.Object)
		if err != nil {
			return nil, fmt.Errorf("writing %s: %w", manifest.Name(m), err)
		}
		fmt.Fprintf(&out, "---\n%s", text)
	}
	return out.Bytes(), nil
}

// unmark takes back what mark does, in what holds it.
func unmark(m *unstructured.Unstructured) {
	labels := m.GetLabels()
	delete(labels, manifest.PartOfLabel)
	if labels[manifest.ManagedByLabel] == manifest.FieldManager {
		delete(labels, manifest.ManagedByLabel)
	}
	m.SetLabels(labels)
	claims, found, _ := unstructured.NestedSlice(m.Object, "spec", "volumeClaimTemplates")
	for _, c := range claims {
		if claim, ok := c.(map[string]any); ok {
			unstructured.RemoveNestedField(claim, "metadata", "labels", manifest.PartOfLabel)
			if len(manifest.At(manifest.At(claim, "metadata"), "labels")) == 0 {
				unstructured.RemoveNestedField(claim, "metadata", "labels")
			}
		}
	}
	if found {
		_ = unstructured.SetNestedSlice(m.Object, claims, "spec", "volumeClaimTemplates")
	}
}
