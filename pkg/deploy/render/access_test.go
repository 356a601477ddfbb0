package render_test

import (
	"fmt"
	"slices"
	"strings"
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

// Where policies refuse others, who is let in may ask the pods at the ports of their
// readiness probes; where there are none, none is made, since one would isolate pods.
func TestAccessThroughPolicies(t *testing.T) {
	const policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: %s}\nspec: {podSelector: {matchLabels: {app: %[1]s}}%s}\n---\n"
	const web = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n" +
		"        - {name: web, image: web:1, ports: [{name: http, containerPort: 8081}], readinessProbe: {httpGet: {path: /, port: http}}}\n" +
		"        - {name: other, image: web:1, readinessProbe: {exec: {command: [check]}}}\n"
	for name, c := range map[string]struct {
		policies string
		want     []string
	}{
		"none":    {"", nil},
		"some":    {fmt.Sprintf(policy, "in", "") + fmt.Sprintf(policy, "both", ", policyTypes: [Egress, Ingress]") + fmt.Sprintf(policy, "out", ", policyTypes: [Egress]"), []string{"dashboard-both", "dashboard-in"}},
		"egress":  {fmt.Sprintf(policy, "out", ", policyTypes: [Egress]"), nil},
		"nothing": {fmt.Sprintf(policy, "in", ", ingress: []"), []string{"dashboard-in"}},
	} {
		p := rendertest.New(t)
		p.Write("kustomization.yaml", "namespace: shop\nresources: [all.yaml]\n")
		p.Write("all.yaml", c.policies+web)
		p.Options.Access = &render.Access{
			Name: "dashboard", Role: []byte("kind: Role\nrules: []\n"), Account: "api", Namespace: "elsewhere", Pods: map[string]string{"app": "asking"},
		}
		var got []string
		for _, o := range p.Render().Objects {
			if o.GetKind() != "NetworkPolicy" || !strings.HasPrefix(o.GetName(), "dashboard-") {
				continue
			}
			got = append(got, o.GetName())
			want := map[string]any{
				"podSelector": map[string]any{"matchLabels": map[string]any{"app": strings.TrimPrefix(o.GetName(), "dashboard-")}},
				"policyTypes": []any{"Ingress"},
				"ingress": []any{map[string]any{
					"from": []any{map[string]any{
						"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": "elsewhere"}},
						"podSelector":       map[string]any{"matchLabels": map[string]any{"app": "asking"}},
					}},
					"ports": []any{map[string]any{"protocol": "TCP", "port": int64(8081)}},
				}},
			}
			if diff := cmp.Diff(want, o.Object["spec"]); diff != "" || o.GetNamespace() != "shop" {
				t.Errorf("%s: %s in %q: %s", name, o.GetName(), o.GetNamespace(), diff)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
