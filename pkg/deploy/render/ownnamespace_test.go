package render_test

import (
	"strings"
	"testing"

	"zr/pkg/deploy/render"
	"zr/pkg/deploy/render/rendertest"
)

// TestANamespaceOfOnesOwn renders an overlay into another namespace, and one that
// has something outside of its own.
func TestANamespaceOfOnesOwn(t *testing.T) {
	p := rendertest.New(t)
	p.Options.Namespace = "ann"
	p.Write("binding.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: view}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\n"+
		"subjects: [{kind: ServiceAccount, name: default, namespace: NAMESPACE}, {kind: ServiceAccount, name: other, namespace: elsewhere}]\n")
	p.Edit("kustomization.yaml", "db.yaml", "db.yaml, binding.yaml")
	r := p.Render()
	if r.Namespace != "ann" {
		t.Errorf("it is in %q", r.Namespace)
	}
	for _, o := range r.Objects {
		switch {
		case o.GetKind() == "Namespace" && o.GetName() != "ann", o.GetKind() != "Namespace" && o.GetNamespace() != "ann":
			t.Errorf("%s %q is in %q", o.GetKind(), o.GetName(), o.GetNamespace())
		case o.GetKind() == "RoleBinding":
			for n, want := range []string{"ann", "elsewhere"} {
				if got := o.Object["subjects"].([]any)[n].(map[string]any)["namespace"]; got != want {
					t.Errorf("subject %d is in %v", n, got)
				}
			}
		}
	}

	p.Write("role.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: zrtest}\n")
	p.Edit("kustomization.yaml", "binding.yaml", "binding.yaml, role.yaml")
	_, err := render.Render(t.Context(), p.Options)
	if err == nil || !strings.Contains(err.Error(), `ClusterRole "zrtest" is not in namespace`) {
		t.Errorf("got %v", err)
	}

	p.Edit("kustomization.yaml", "[namespace.yaml, web.yaml, db.yaml, binding.yaml, role.yaml]", "[web.yaml]")
	if objects := p.Render().Objects; objects[0].GetKind() != "Namespace" || objects[0].GetName() != "ann" {
		t.Errorf("the first object is %s %q", objects[0].GetKind(), objects[0].GetName())
	}
}
