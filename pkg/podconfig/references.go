// Package podconfig says what pods read of ConfigMaps and Secrets. What applies
// manifests has it in common with what changes settings in a cluster, where there are
// no manifests. Both come to the same hash, so that what one has rolled the other
// leaves as it is.
package podconfig

import "slices"

// Reference is one place where a pod reads a ConfigMap or Secret.
type Reference struct {
	Kind, Name string
	Keys       []string // empty means all of it
	Optional   bool
}

// Reads says whether a pod reads a key there.
func (r Reference) Reads(key string) bool { return len(r.Keys) == 0 || slices.Contains(r.Keys, key) }

// References returns what the pods of a template read. The template is decoded
// JSON, with metadata and spec.
func References(template map[string]any) []Reference {
	var out []Reference
	add := func(kind string, from map[string]any, nameField string, keys ...string) {
		if text(from, nameField) == "" {
			return
		}
		for _, item := range items(from, "items") {
			keys = append(keys, text(item, "key"))
		}
		optional, _ := from["optional"].(bool)
		out = append(out, Reference{kind, text(from, nameField), keys, optional})
	}
	spec := at(template, "spec")
	for _, container := range append(items(spec, "initContainers"), items(spec, "containers")...) {
		for _, from := range items(container, "envFrom") {
			add("ConfigMap", at(from, "configMapRef"), "name")
			add("Secret", at(from, "secretRef"), "name")
		}
		for _, env := range items(container, "env") {
			if ref := at(env, "valueFrom", "configMapKeyRef"); ref != nil {
				add("ConfigMap", ref, "name", text(ref, "key"))
			}
			if ref := at(env, "valueFrom", "secretKeyRef"); ref != nil {
				add("Secret", ref, "name", text(ref, "key"))
			}
		}
	}
	for _, volume := range items(spec, "volumes") {
		add("ConfigMap", at(volume, "configMap"), "name")
		add("Secret", at(volume, "secret"), "secretName")
		for _, source := range items(at(volume, "projected"), "sources") {
			add("ConfigMap", at(source, "configMap"), "name")
			add("Secret", at(source, "secret"), "name")
		}
	}
	return out
}

// at returns the map that a path leads to, or nil.
func at(m map[string]any, path ...string) map[string]any {
	for _, part := range path {
		m, _ = m[part].(map[string]any)
	}
	return m
}

// items returns the maps of a list.
func items(m map[string]any, field string) (out []map[string]any) {
	list, _ := m[field].([]any)
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
