package render_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/render"
	"zr/pkg/deploy/render/rendertest"
)

// Others are let into the namespace of the environment, as members of its set.
func TestAccess(t *testing.T) {
	p := rendertest.New(t)
	p.Options.Access = &render.Access{
		Name: "viewer", Role: []byte("kind: Role\nrules: [{apiGroups: [\"\"], resources: [pods], verbs: [list]}]\n---\nkind: RoleBinding\n"),
		Labels: map[string]string{"example/of": "a"}, Account: "api", Namespace: "elsewhere",
	}
	r := p.Render()
	found := map[string]*unstructured.Unstructured{}
	for _, o := range r.Objects {
		if o.GetName() == "viewer" && o.GetNamespace() == r.Namespace {
			found[o.GetKind()] = o.Unstructured
		}
	}
	role, binding := found["Role"], found["RoleBinding"]
	if role == nil || binding == nil {
		t.Fatalf("rendered: %v", found)
	}
	want := []any{map[string]any{"apiGroups": []any{""}, "resources": []any{"pods"}, "verbs": []any{"list"}}}
	if diff := cmp.Diff(want, role.Object["rules"]); diff != "" {
		t.Error(diff)
	}
	want = []any{map[string]any{"kind": "ServiceAccount", "name": "api", "namespace": "elsewhere"}}
	if diff := cmp.Diff(want, binding.Object["subjects"]); diff != "" {
		t.Error(diff)
	}
	if binding.GetLabels()["example/of"] != "a" || binding.GetLabels()["applyset.kubernetes.io/part-of"] == "" {
		t.Errorf("labels: %v", binding.GetLabels())
	}
}
