// Package manifest reads objects of Kubernetes without their Go types. It says what
// kind they are of and when that is applied, where their pods are made from, and which
// labels make them an environment's.
package manifest

import (
	"fmt"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// PodTemplate returns the part of an object that pods are made from (the map
// with metadata and spec, shared with the object), or nil.
func PodTemplate(m *unstructured.Unstructured) map[string]any {
	switch gvk := m.GroupVersionKind(); gvk.Group + "/" + gvk.Kind {
	case "/Pod":
		return m.Object
	case "apps/Deployment", "apps/StatefulSet", "apps/DaemonSet", "apps/ReplicaSet", "batch/Job":
		return At(m.Object, "spec", "template")
	case "batch/CronJob":
		return At(m.Object, "spec", "jobTemplate", "spec", "template")
	}
	return nil
}

// Containers returns the containers of a pod template, init containers first,
// shared with the template.
func Containers(template map[string]any) []map[string]any {
	spec := At(template, "spec")
	return append(Items(spec, "initContainers"), Items(spec, "containers")...)
}

// At returns the map that a path leads to, or nil.
func At(m map[string]any, path ...string) map[string]any {
	for _, part := range path {
		next, ok := m[part].(map[string]any)
		if !ok {
			return nil
		}
		m = next
	}
	return m
}

// Need is At, making what is missing.
func Need(m map[string]any, path ...string) map[string]any {
	for _, part := range path {
		next, ok := m[part].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[part] = next
		}
		m = next
	}
	return m
}

// Items returns the maps of a list.
func Items(m map[string]any, field string) []map[string]any {
	list, _ := m[field].([]any)
	var out []map[string]any
	for _, item := range list {
		if item, ok := item.(map[string]any); ok {
			out = append(out, item)
		}
	}
	return out
}

// Text returns a string field, or "".
func Text(m map[string]any, field string) string {
	s, _ := m[field].(string)
	return s
}

// Name is how messages call an object.
func Name(m *unstructured.Unstructured) string { return fmt.Sprintf("%s %q", m.GetKind(), m.GetName()) }

// Key identifies an object within a cluster, whatever version of its kind
// the manifest names.
func Key(m *unstructured.Unstructured) string {
	gk := m.GroupVersionKind().GroupKind()
	return gk.String() + "/" + m.GetNamespace() + "/" + m.GetName()
}

// Untagged drops tag and digest from a reference. A colon before the last
// slash belongs to a registry's port.
func Untagged(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		image = image[:i]
	}
	return image
}

// Content returns the entries of a ConfigMap or Secret.
func Content(m *unstructured.Unstructured) map[string]any {
	out := map[string]any{}
	maps.Copy(out, At(m.Object, "data"))
	maps.Copy(out, At(m.Object, "binaryData"))
	return out
}
