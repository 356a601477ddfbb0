package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/overlay"
	"zr/pkg/fault"
)

// reference is one place where a pod reads a ConfigMap or Secret.
type reference struct {
	kind, name string
	keys       []string // empty means all of it
	optional   bool
}

// references returns what the pods of a template read.
func references(template map[string]any) []reference {
	var out []reference
	add := func(kind string, from map[string]any, nameField string, keys ...string) {
		if from == nil || text(from, nameField) == "" {
			return
		}
		for _, item := range items(from, "items") {
			keys = append(keys, text(item, "key"))
		}
		optional, _ := from["optional"].(bool)
		out = append(out, reference{kind, text(from, nameField), keys, optional})
	}
	for _, container := range containers(template) {
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
	for _, volume := range items(at(template, "spec"), "volumes") {
		add("ConfigMap", at(volume, "configMap"), "name")
		add("Secret", at(volume, "secret"), "secretName")
		for _, source := range items(at(volume, "projected"), "sources") {
			add("ConfigMap", at(source, "configMap"), "name")
			add("Secret", at(source, "secret"), "name")
		}
	}
	return out
}

// stampConfig puts the hash of what its pods read on each pod template, and
// reports the keys that a pod reads and that are not there. ConfigMaps and
// Secrets that are not rendered are somebody else's and left out.
func stampConfig(manifests []*unstructured.Unstructured, files []string) error {
	sources := map[string]map[string]any{}
	for _, m := range manifests {
		if m.GroupVersionKind().Group == "" && (m.GetKind() == "ConfigMap" || m.GetKind() == "Secret") {
			sources[sourceKey(m.GetKind(), m.GetNamespace(), m.GetName())] = content(m)
		}
	}
	var problems []error
	for _, m := range manifests {
		read := map[string]any{}
		for _, ref := range references(podTemplate(m)) {
			source, rendered := sources[sourceKey(ref.kind, m.GetNamespace(), ref.name)]
			if !rendered {
				continue
			}
			keys := ref.keys
			if len(keys) == 0 {
				keys = slices.Collect(maps.Keys(source))
			}
			for _, key := range keys {
				value, ok := source[key]
				if !ok && !ref.optional {
					problems = append(problems, missingKey(overlay.Locate(files, m, ""), m, ref, key))
				}
				read[ref.kind+"/"+ref.name+"/"+key] = value
			}
		}
		if len(read) == 0 {
			continue
		}
		data, err := json.Marshal(read) // keys are sorted
		if err != nil {
			return fmt.Errorf("hashing the configuration of %s: %w", name(m), err)
		}
		sum := sha256.Sum256(data)
		need(podTemplate(m), "metadata", "annotations")[ConfigHashAnnotation] = hex.EncodeToString(sum[:8])
	}
	return errors.Join(problems...)
}

// readsOthers says whether a bare pod runs with other values than those that
// it reads now. Nobody rolls it, and its annotation can change in place.
func readsOthers(o *object, live *unstructured.Unstructured) bool {
	return o.kind == podKind && o.GetAnnotations()[ConfigHashAnnotation] != live.GetAnnotations()[ConfigHashAnnotation]
}

func sourceKey(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

// content returns the entries of a ConfigMap or Secret.
func content(m *unstructured.Unstructured) map[string]any {
	out := map[string]any{}
	maps.Copy(out, at(m.Object, "data"))
	maps.Copy(out, at(m.Object, "binaryData"))
	return out
}

func missingKey(where string, m *unstructured.Unstructured, ref reference, key string) error {
	err := fmt.Errorf("%s%s reads %q of %s %q, which has no such key", where, name(m), key, ref.kind, ref.name)
	switch {
	case ref.kind == "Secret" && ref.name == SecretsName:
		return fault.Hint(err, fmt.Sprintf("add %s to the environment's file in config/secrets/", key))
	case ref.kind == "ConfigMap" && ref.name == SettingsName:
		return fault.Hint(err, fmt.Sprintf("add %s under `settings:` in the environment's file in config/", key))
	}
	return err
}
