package state

import (
	"maps"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"zr/pkg/deploy/manifest"
)

func TestParentSurvivesTheCluster(t *testing.T) {
	p := NewParent("zr-x", "shop")
	p.Add(manifest.KindOf(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, nil), "shop")
	p.Add(manifest.KindOf(schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, nil), "other")
	p.Add(manifest.KindOf(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, nil), "")
	p.Records["Deployment.apps/shop/web"] = Record{Manifest: "1", Live: "2", Fields: []byte(`{"f:spec":{"f:replicas":{}}}`)}
	m, err := p.Object()
	if err != nil {
		t.Fatal(err)
	}
	if got := m.GetAnnotations()[kindsAnnotation]; got != "Deployment.apps,Namespace,Secret" {
		t.Errorf("the kinds are %q", got)
	}
	if got := m.GetAnnotations()[namespacesAnnotation]; got != "other" {
		t.Errorf("the further namespaces are %q", got)
	}
	again := ReadParent(m)
	if !again.Equal(p) || !p.Equal(again) {
		t.Errorf("read again, the parent is %+v, want %+v", again, p)
	}
	smaller := p.Clone()
	delete(smaller.Kinds, schema.GroupKind{Kind: "Secret"})
	if !p.Covers(smaller) || smaller.Covers(p) || smaller.Equal(p) {
		t.Error("a parent with fewer kinds covers one with more")
	}

	// Records that cannot be read cost requests and nothing else.
	m.Object["data"] = map[string]any{stateKey: "bm90IGd6aXA="}
	if again := ReadParent(m); len(again.Records) != 0 || !maps.Equal(again.Kinds, p.Kinds) {
		t.Errorf("with broken records the parent is %+v", again)
	}
}
