package kubetest

import (
	"context"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"zr/pkg/kube"
)

// secretClasses defines the classes of the Secrets Store CSI driver, with the fields that
// the driver's own definition has.
const secretClasses = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: secretproviderclasses.secrets-store.csi.x-k8s.io}
spec:
  group: secrets-store.csi.x-k8s.io
  scope: Namespaced
  names: {kind: SecretProviderClass, listKind: SecretProviderClassList, plural: secretproviderclasses, singular: secretproviderclass}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                provider: {type: string}
                parameters: {type: object, additionalProperties: {type: string}}
                secretObjects:
                  type: array
                  items:
                    type: object
                    properties:
                      secretName: {type: string}
                      type: {type: string}
                      labels: {type: object, additionalProperties: {type: string}}
                      annotations: {type: object, additionalProperties: {type: string}}
                      data: {type: array, items: {type: object, properties: {key: {type: string}, objectName: {type: string}}}}
`

// ServeSecretClasses has the cluster know the classes of the Secrets Store CSI driver, of
// which it has no driver, until the end of the test.
func ServeSecretClasses(t testing.TB, cfg *kube.Config) {
	t.Helper()
	var definition unstructured.Unstructured
	if err := yaml.UnmarshalStrict([]byte(secretClasses), &definition.Object); err != nil {
		t.Fatal(err)
	}
	definitions := Client(t, cfg, "apiextensions.k8s.io", "v1", "customresourcedefinitions")
	if _, err := definitions.Create(t.Context(), &definition, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		_ = definitions.Delete(ctx, definition.GetName(), metav1.DeleteOptions{})
		until(t, "the definition to be gone", func() bool {
			_, err := definitions.Get(ctx, definition.GetName(), metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
	})
	// It is told what it serves some time after the definition is established, which
	// nobody can watch.
	client := Connect(t, cfg)
	until(t, "the cluster to serve the classes", func() bool {
		var served metav1.APIResourceList
		err := client.Get(t.Context(), "apis/secrets-store.csi.x-k8s.io/v1", nil, &served)
		return err == nil && len(served.APIResources) > 0
	})
}

// until waits for what is asked for.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); !holds(); {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}
