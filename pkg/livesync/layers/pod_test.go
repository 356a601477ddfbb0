package layers

import (
	"context"
	"net/url"
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/kubetest"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

// TestThePodIsRestricted has a real API server judge it by its strictest profile.
func TestThePodIsRestricted(t *testing.T) {
	cfg, namespace := kubetest.Config(t), kubetest.Namespace(t)
	namespaces := kubetest.Client(t, cfg, "", "v1", "namespaces")
	if _, err := namespaces.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": namespace, "labels": map[string]any{"pod-security.kubernetes.io/enforce": "restricted"}}}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = namespaces.Delete(context.Background(), namespace, metav1.DeleteOptions{}) })
	o := Options{Client: kubetest.Connect(t, cfg), Namespace: namespace, Image: "registry.example/zr-agent", Architecture: "amd64", PullSecrets: []string{"registry"}}
	only := url.Values{"dryRun": {"All"}, "fieldValidation": {"Strict"}}
	if err := o.Client.Create(t.Context(), lean.PathOf(object.Pods, namespace), only, o.manifest("zr-push-test", "secret")); err != nil {
		t.Error(err)
	}
}
