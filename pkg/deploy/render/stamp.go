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
	"zr/pkg/podconfig"
)

// stampConfig puts the hashes of what its pods read on each pod template, and
// reports the keys that a pod reads and that are not there. ConfigMaps and
// Secrets that are not rendered are somebody else's and left out. No key of the
// secrets is missing where these are unknown. Those that a class of the CSI driver gets
// have keys and no values.
func stampConfig(manifests []*unstructured.Unstructured, files []string, namespace string, o Options) error {
	sources := map[string]map[string]any{}
	class := classOf(manifests, namespace)
	switch secrets := sourceKey("Secret", namespace, SecretsName); {
	case class != nil:
		sources[secrets] = class.keys
	case o.SecretsLent:
		sources[secrets] = manifest.Content(secretObject(SecretsName, namespace, o.Secrets, ""))
	}
	for _, m := range manifests {
		if m.GroupVersionKind().Group == "" && (m.GetKind() == "ConfigMap" || m.GetKind() == "Secret") {
			sources[sourceKey(m.GetKind(), m.GetNamespace(), m.GetName())] = manifest.Content(m)
		}
	}
	var problems []error
	for _, m := range manifests {
		template := manifest.PodTemplate(m)
		read := map[string]any{}
		for _, ref := range podconfig.References(template) {
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
				if !ok && !ref.Optional && !(o.SecretsUnknown && class == nil && isSecrets(ref)) {
					problems = append(problems, missingKey(overlay.Locate(files, m, ""), m, ref, key, class, o))
				}
				if !isSettings(ref) && !(class != nil && isSecrets(ref)) { // whose values nobody knows before a pod runs
					read[ref.Kind+"/"+ref.Name+"/"+key] = value
				}
			}
		}
		if settings, rendered := sources[sourceKey("ConfigMap", m.GetNamespace(), SettingsName)]; rendered {
			stamp(template, podconfig.SettingsHashAnnotation, podconfig.SettingsHash(template, texts(settings)))
		}
		if len(read) == 0 {
			continue
		}
		data, err := json.Marshal(read) // keys are sorted
		if err != nil {
			return fmt.Errorf("hashing the configuration of %s: %w", manifest.Name(m), err)
		}
		sum := sha256.Sum256(data)
		stamp(template, ConfigHashAnnotation, hex.EncodeToString(sum[:8]))
	}
	return errors.Join(problems...)
}

// isSettings says whether a pod reads the settings there, which have a hash of their
// own: one that can be told without knowing the secrets.
func isSettings(ref podconfig.Reference) bool {
	return ref.Kind == "ConfigMap" && ref.Name == SettingsName
}

func isSecrets(ref podconfig.Reference) bool { return ref.Kind == "Secret" && ref.Name == SecretsName }

// stamp sets an annotation of a pod template, where it has a value.
func stamp(template map[string]any, annotation, value string) {
	if value != "" {
		manifest.Need(template, "metadata", "annotations")[annotation] = value
	}
}

// texts returns the entries of a ConfigMap that zr makes.
func texts(entries map[string]any) map[string]string {
	out := make(map[string]string, len(entries))
	for key, value := range entries {
		out[key] = fmt.Sprint(value)
	}
	return out
}

func sourceKey(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

func missingKey(where string, m *unstructured.Unstructured, ref podconfig.Reference, key string, class *secretsClass, o Options) error {
	err := fmt.Errorf("%s%s reads %q of %s %q, which has no such key", where, manifest.Name(m), key, ref.Kind, ref.Name)
	switch {
	case isSecrets(ref) && class != nil:
		return fault.Hint(err, fmt.Sprintf("add %s to the objects and secretObjects of SecretProviderClass %q", key, class.name))
	case isSecrets(ref) && o.SecretsLent:
		return fault.Hint(err, "the Secret in the cluster is not zr's: whoever makes it has to add the key")
	case isSecrets(ref):
		return fault.Hint(err, fmt.Sprintf("add %s to the environment's file in config/secrets/", key))
	case ref.Kind == "ConfigMap" && ref.Name == SettingsName:
		return fault.Hint(err, fmt.Sprintf("add %s under `settings:` in the environment's file in config/", key))
	}
	return err
}
