package deploy

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// podTemplate returns the part of an object that pods are made from (the map
// with metadata and spec, shared with the object), or nil.
func podTemplate(m *unstructured.Unstructured) map[string]any {
	switch gvk := m.GroupVersionKind(); gvk.Group + "/" + gvk.Kind {
	case "/Pod":
		return m.Object
	case "apps/Deployment", "apps/StatefulSet", "apps/DaemonSet", "apps/ReplicaSet", "batch/Job":
		return at(m.Object, "spec", "template")
	case "batch/CronJob":
		return at(m.Object, "spec", "jobTemplate", "spec", "template")
	}
	return nil
}

// containers returns the containers of a pod template, init containers first,
// shared with the template.
func containers(template map[string]any) []map[string]any {
	spec := at(template, "spec")
	return append(items(spec, "initContainers"), items(spec, "containers")...)
}

// at returns the map that a path leads to, or nil.
func at(m map[string]any, path ...string) map[string]any {
	for _, part := range path {
		next, ok := m[part].(map[string]any)
		if !ok {
			return nil
		}
		m = next
	}
	return m
}

// need is at, making what is missing.
func need(m map[string]any, path ...string) map[string]any {
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

// items returns the maps of a list.
func items(m map[string]any, field string) []map[string]any {
	list, _ := m[field].([]any)
	var out []map[string]any
	for _, item := range list {
		if item, ok := item.(map[string]any); ok {
			out = append(out, item)
		}
	}
	return out
}

// text returns a string field, or "".
func text(m map[string]any, field string) string {
	s, _ := m[field].(string)
	return s
}
