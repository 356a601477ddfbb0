package manifest

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Reference is one place where a pod reads a ConfigMap or Secret.
type Reference struct {
	Kind, Name string
	Keys       []string // empty means all of it
	Optional   bool
}

// References returns what the pods of a template read.
func References(template map[string]any) []Reference {
	var out []Reference
	add := func(kind string, from map[string]any, nameField string, keys ...string) {
		if from == nil || Text(from, nameField) == "" {
			return
		}
		for _, item := range Items(from, "items") {
			keys = append(keys, Text(item, "key"))
		}
		optional, _ := from["optional"].(bool)
		out = append(out, Reference{kind, Text(from, nameField), keys, optional})
	}
	for _, container := range Containers(template) {
		for _, from := range Items(container, "envFrom") {
			add("ConfigMap", At(from, "configMapRef"), "name")
			add("Secret", At(from, "secretRef"), "name")
		}
		for _, env := range Items(container, "env") {
			if ref := At(env, "valueFrom", "configMapKeyRef"); ref != nil {
				add("ConfigMap", ref, "name", Text(ref, "key"))
			}
			if ref := At(env, "valueFrom", "secretKeyRef"); ref != nil {
				add("Secret", ref, "name", Text(ref, "key"))
			}
		}
	}
	for _, volume := range Items(At(template, "spec"), "volumes") {
		add("ConfigMap", At(volume, "configMap"), "name")
		add("Secret", At(volume, "secret"), "secretName")
		for _, source := range Items(At(volume, "projected"), "sources") {
			add("ConfigMap", At(source, "configMap"), "name")
			add("Secret", At(source, "secret"), "name")
		}
	}
	return out
}

// Content returns the entries of a ConfigMap or Secret.
func Content(m *unstructured.Unstructured) map[string]any {
	out := map[string]any{}
	maps.Copy(out, At(m.Object, "data"))
	maps.Copy(out, At(m.Object, "binaryData"))
	return out
}
