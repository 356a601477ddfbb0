package kubetest

import (
	"context"
	"testing"
	"time"

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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	told, err := definitions.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + definition.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	defer told.Stop()
	if _, err := definitions.Create(ctx, &definition, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = definitions.Delete(context.Background(), definition.GetName(), metav1.DeleteOptions{}) })
	for e := range told.ResultChan() {
		object, _ := e.Object.(*unstructured.Unstructured)
		if object == nil {
			continue
		}
		conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
		for _, c := range conditions {
			if condition, _ := c.(map[string]any); condition["type"] == "Established" && condition["status"] == "True" {
				return
			}
		}
	}
	t.Fatal("the cluster does not serve the classes")
}
