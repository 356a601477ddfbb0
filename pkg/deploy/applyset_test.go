package deploy

import (
	"maps"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"zr/pkg/deploy/manifest"
)

func TestParentSurvivesTheCluster(t *testing.T) {
	p := newParent("zr-x", "shop")
	p.add(manifest.KindOf(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, nil), "shop")
	p.add(manifest.KindOf(schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, nil), "vault")
	p.add(manifest.KindOf(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, nil), "")
	p.records["Deployment.apps/shop/web"] = record{Manifest: "1", Live: "2", Fields: []byte(`{"f:spec":{"f:replicas":{}}}`)}
	m, err := p.object()
	if err != nil {
		t.Fatal(err)
	}
	if got := m.GetAnnotations()[kindsAnnotation]; got != "Deployment.apps,Namespace,Secret" {
		t.Errorf("the kinds are %q", got)
	}
	if got := m.GetAnnotations()[namespacesAnnotation]; got != "vault" {
		t.Errorf("the further namespaces are %q", got)
	}
	again := readParent(m)
	if !again.equal(p) || !p.equal(again) {
		t.Errorf("read again, the parent is %+v, want %+v", again, p)
	}
	smaller := p.clone()
	delete(smaller.kinds, schema.GroupKind{Kind: "Secret"})
	if !p.covers(smaller) || smaller.covers(p) || smaller.equal(p) {
		t.Error("a parent with fewer kinds covers one with more")
	}

	// Records that cannot be read cost requests and nothing else.
	m.Object["data"] = map[string]any{stateKey: "bm90IGd6aXA="}
	if again := readParent(m); len(again.records) != 0 || !maps.Equal(again.kinds, p.kinds) {
		t.Errorf("with broken records the parent is %+v", again)
	}
}
