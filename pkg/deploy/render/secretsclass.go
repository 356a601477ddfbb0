package render

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
)

// secretsClass is a SecretProviderClass of the Secrets Store CSI driver by which the
// Secret "secrets" is made: once a pod mounts a volume of it, and from then on by the
// driver alone.
type secretsClass struct {
	name string
	keys map[string]any // of the Secret, without values
}

// classOf returns the one among manifests, or nil.
func classOf(manifests []*unstructured.Unstructured, namespace string) *secretsClass {
	for _, m := range manifests {
		if m.GroupVersionKind().GroupKind() != manifest.SecretClassKind.GroupKind() || m.GetNamespace() != namespace {
			continue
		}
		for _, secret := range manifest.Items(manifest.At(m.Object, "spec"), "secretObjects") {
			if manifest.Text(secret, "secretName") != SecretsName {
				continue
			}
			class := &secretsClass{m.GetName(), map[string]any{}}
			for _, entry := range manifest.Items(secret, "data") {
				class.keys[manifest.Text(entry, "key")] = ""
			}
			return class
		}
	}
	return nil
}
