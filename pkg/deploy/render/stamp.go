package render

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/overlay"
	"zr/pkg/fault"
)

// stampConfig puts the hash of what its pods read on each pod template, and
// reports the keys that a pod reads and that are not there. ConfigMaps and
// Secrets that are not rendered are somebody else's and left out.
func stampConfig(manifests []*unstructured.Unstructured, files []string) error {
	sources := map[string]map[string]any{}
	for _, m := range manifests {
		if m.GroupVersionKind().Group == "" && (m.GetKind() == "ConfigMap" || m.GetKind() == "Secret") {
			sources[sourceKey(m.GetKind(), m.GetNamespace(), m.GetName())] = manifest.Content(m)
		}
	}
	var problems []error
	for _, m := range manifests {
		read := map[string]any{}
		for _, ref := range manifest.References(manifest.PodTemplate(m)) {
			source, rendered := sources[sourceKey(ref.Kind, m.GetNamespace(), ref.Name)]
			if !rendered {
				continue
			}
			keys := ref.Keys
			if len(keys) == 0 {
				keys = slices.Collect(maps.Keys(source))
			}
			for _, key := range keys {
				value, ok := source[key]
				if !ok && !ref.Optional {
					problems = append(problems, missingKey(overlay.Locate(files, m, ""), m, ref, key))
				}
				read[ref.Kind+"/"+ref.Name+"/"+key] = value
			}
		}
		if len(read) == 0 {
			continue
		}
		data, err := json.Marshal(read) // keys are sorted
		if err != nil {
			return fmt.Errorf("hashing the configuration of %s: %w", manifest.Name(m), err)
		}
		sum := sha256.Sum256(data)
		manifest.Need(manifest.PodTemplate(m), "metadata", "annotations")[ConfigHashAnnotation] = hex.EncodeToString(sum[:8])
	}
	return errors.Join(problems...)
}

func sourceKey(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

func missingKey(where string, m *unstructured.Unstructured, ref manifest.Reference, key string) error {
	err := fmt.Errorf("%s%s reads %q of %s %q, which has no such key", where, manifest.Name(m), key, ref.Kind, ref.Name)
	switch {
	case ref.Kind == "Secret" && ref.Name == SecretsName:
		return fault.Hint(err, fmt.Sprintf("add %s to the environment's file in config/secrets/", key))
	case ref.Kind == "ConfigMap" && ref.Name == SettingsName:
		return fault.Hint(err, fmt.Sprintf("add %s under `settings:` in the environment's file in config/", key))
	}
	return err
}
