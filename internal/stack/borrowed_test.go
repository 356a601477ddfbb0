package stack

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/internal/testkit"
	"zr/pkg/deploy"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/fault"
)

const databaseService = "---\napiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: tiny}\nspec: {selector: {app: db}, ports: [{port: 5432}]}\n"

// TestTheOthersOfAnEnvironment runs one service beside an environment that does not
// have the others yet, and then does.
func TestTheOthersOfAnEnvironment(t *testing.T) {
	cfg := kubetest.Config(t)
	shared := kubetest.Namespace(t)
	files := testkit.Project(strings.Replace(sharedConfig, "web: {}", "web: {}, db: {}", 1))
	files["kustomize/overlays/dev/all.yaml"] = strings.ReplaceAll(testkit.Overlay+databaseService, "namespace: tiny", "namespace: "+shared)
	s := stackOf(t, files)
	if err := s.cfg.In("ann"); err != nil {
		t.Fatal(err)
	}
	if err := s.cfg.OnlyOf([]string{"web"}); err != nil {
		t.Fatal(err)
	}
	p, err := s.render(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d, err := deploy.New(kubetest.Connect(t, cfg), s.set(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	on := &connection{deployer: d}
	err = p.othersAreThere(t.Context(), on)
	if err == nil || !strings.Contains(err.Error(), `namespace "`+shared+`", whose services are used beside web, has no db`) ||
		!strings.Contains(fault.HintOf(err), "zr up") || strings.Contains(fault.HintOf(err), "--only") {
		t.Fatalf("%v (hint %q)", err, fault.HintOf(err))
	}

	create := func(resource, in, kind, name string, spec map[string]any) {
		t.Helper()
		o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"name": name}, "spec": spec}}
		if _, err := kubetest.Client(t, cfg, "", "v1", resource).Namespace(in).Create(t.Context(), o, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	create("namespaces", "", "Namespace", shared, nil)
	t.Cleanup(func() {
		_ = kubetest.Client(t, cfg, "", "v1", "namespaces").Delete(context.Background(), shared, metav1.DeleteOptions{})
	})
	create("services", shared, "Service", "db", map[string]any{"ports": []any{map[string]any{"port": int64(5432)}}})
	if err := p.othersAreThere(t.Context(), on); err != nil {
		t.Error(err)
	}
}
