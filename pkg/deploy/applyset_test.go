package deploy

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// kubectl apply --applyset=zr-x -n default labels its members like this.
func TestSetIDIsThatOfKubectl(t *testing.T) {
	if got, want := setID("zr-x", "default"), "applyset-hTXpZaztEO4OD_XvLl0DblaqxUPcQnMZDD4NCVwu3Cs-v1"; got != want {
		t.Errorf("the ID is %q, want %q", got, want)
	}
}

func TestParentSurvivesTheCluster(t *testing.T) {
	p := newParent("zr-x", "shop")
	p.add(kindOf(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, nil), "shop")
	p.add(kindOf(schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, nil), "vault")
	p.add(kindOf(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, nil), "")
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

func TestLookup(t *testing.T) {
	images := map[string]string{"web": "a", "example/db:1": "b", "reg:5000/x": "c"}
	got := map[string]string{}
	for _, image := range []string{"web", "web:2", "web@sha256:0", "example/db:1", "example/db:2", "reg:5000/x:1", "reg:5000/y", "other/web"} {
		got[image] = lookup(images, image)
	}
	want := map[string]string{"web": "a", "web:2": "a", "web@sha256:0": "a", "example/db:1": "b", "example/db:2": "", "reg:5000/x:1": "c", "reg:5000/y": "", "other/web": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every kind of the table says where it belongs in the order of an apply.
func TestTableOfKinds(t *testing.T) {
	for gvk, k := range known {
		if k.resource != strings.ToLower(k.resource) || k.resource == "" || k.stage < 0 || k.stage >= stages {
			t.Errorf("%s: %+v", gvk, k)
		}
		if k.keep && k.remake {
			t.Errorf("%s holds data and may be remade", gvk)
		}
	}
	for _, name := range []string{"Namespace", "CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim"} {
		for gvk, k := range known {
			if gvk.Kind == name && !k.keep {
				t.Errorf("%s would be pruned", name)
			}
		}
	}
}
