package render

import (
	"encoding/base64"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/fault"
	"zr/pkg/podconfig"
)

// addConfig adds the ConfigMap of the settings and the Secret of the secrets,
// and refuses manifests of their names and of that of the set's parent.
// The ConfigMap is also made empty where a manifest reads it: a pod would wait
// for it for ever.
func addConfig(manifests []*unstructured.Unstructured, namespace string, o Options) ([]*unstructured.Unstructured, error) {
	for _, m := range manifests {
		if m.GetNamespace() != namespace || m.GroupVersionKind().Group != "" {
			continue
		}
		if is(m, "ConfigMap", SettingsName) || is(m, "Secret", SecretsName) || is(m, "Secret", o.Set) {
			return nil, fault.Hint(fmt.Errorf("%s is made by zr", manifest.Name(m)), "rename it in the overlay, or move its values to config/")
		}
	}
	if len(o.Settings) > 0 || reads(manifests, namespace, "ConfigMap", SettingsName) {
		data := map[string]any{}
		for key, value := range o.Settings {
			data[key] = value
		}
		manifests = append(manifests, configObject("ConfigMap", SettingsName, namespace, data, o.SettingsSource))
	}
	if !o.SecretsLent && classOf(manifests, namespace) == nil && (len(o.Secrets) > 0 || reads(manifests, namespace, "Secret", SecretsName)) {
		manifests = append(manifests, secretObject(SecretsName, namespace, o.Secrets, o.SecretsSource))
	}
	for _, m := range manifests {
		encodeStringData(m)
	}
	return manifests, nil
}

func is(m *unstructured.Unstructured, kind, name string) bool {
	return m.GetKind() == kind && m.GetName() == name
}

func secretObject(name, namespace string, values map[string]string, source string) *unstructured.Unstructured {
	data := map[string]any{}
	for key, value := range values {
		data[key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	return configObject("Secret", name, namespace, data, source)
}

// configObject returns a ConfigMap or Secret. source says where its content is from,
// where that is not empty.
func configObject(kind, name, namespace string, data map[string]any, source string) *unstructured.Unstructured {
	metadata := map[string]any{"name": name, "namespace": namespace}
	if source != "" {
		metadata["annotations"] = map[string]any{podconfig.SourceAnnotation: source}
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": data}}
}

// encodeStringData moves the plain values of a Secret to where the server
// keeps them. As stringData they would be fields that never come back, and
// could not be compared.
func encodeStringData(m *unstructured.Unstructured) {
	plain := manifest.At(m.Object, "stringData")
	if m.GroupVersionKind().Group != "" || m.GetKind() != "Secret" || plain == nil {
		return
	}
	data := manifest.Need(m.Object, "data")
	for key, value := range plain {
		if s, ok := value.(string); ok {
			data[key] = base64.StdEncoding.EncodeToString([]byte(s))
		}
	}
	delete(m.Object, "stringData")
}

// reads says whether a pod reads a ConfigMap or Secret and cannot do without.
func reads(manifests []*unstructured.Unstructured, namespace, kind, name string) bool {
	for _, m := range manifests {
		for _, ref := range podconfig.References(manifest.PodTemplate(m)) {
			if m.GetNamespace() == namespace && ref.Kind == kind && ref.Name == name && !ref.Optional {
				return true
			}
		}
	}
	return false
}
