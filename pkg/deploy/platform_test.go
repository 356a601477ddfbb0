package deploy_test

import (
	"context"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"zr/pkg/deploy/kubetest"
)

// TestArchitectures makes nodes that no kubelet stands for.
func TestArchitectures(t *testing.T) {
	r := newRun(t)
	nodes := kubetest.Client(t, r.cfg, "", "v1", "nodes")
	for name, labels := range map[string]map[string]any{
		"a": {"kubernetes.io/os": "linux", "kubernetes.io/arch": "riscv64"},
		"b": {"kubernetes.io/os": "windows", "kubernetes.io/arch": "mips"},
	} {
		name = r.namespace + "-" + name
		_, err := nodes.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": name, "labels": labels}, "spec": map[string]any{"unschedulable": true},
		}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = nodes.Delete(context.Background(), name, metav1.DeleteOptions{}) })
	}
	got, err := r.deployer().Architectures(t.Context())
	if err != nil || !slices.Contains(got, "riscv64") || slices.Contains(got, "mips") {
		t.Errorf("%v, %v", got, err)
	}
	r.cfg = rest.CopyConfig(r.cfg)
	r.cfg.Impersonate.UserName = "who-may-see-no-node"
	if got, err := r.deployer().Architectures(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("without the right: %v, %v", got, err)
	}
}
