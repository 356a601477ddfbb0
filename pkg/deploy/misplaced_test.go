package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/pkg/deploy/render"
	"zr/pkg/fault"
)

// What only the server knows of a kind: whether it serves it, and whether its
// objects are in a namespace.
func TestObjectsOfKindsThatOnlyTheServerKnows(t *testing.T) {
	dir := t.TempDir()
	for file, text := range map[string]string{
		"kustomization.yaml": "resources: [settings.yaml, gadget.yaml, nothing.yaml]\n",
		"settings.yaml":      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: shop}\n",
		"gadget.yaml":        "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: one}\n",
		"nothing.yaml":       "apiVersion: nowhere.example.com/v1\nkind: Nothing\nmetadata: {name: two}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := render.Render(t.Context(), render.Options{Overlay: dir, Set: "zr-x"})
	if err != nil {
		t.Fatal(err)
	}
	s := &stub{documents: map[string]string{
		"/api/v1/namespaces/shop": `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}`,
		"/apis/example.com/v1":    `{"kind":"APIResourceList","groupVersion":"example.com/v1","resources":[{"name":"gadgets","kind":"Gadget","namespaced":true}]}`,
	}}
	_, err = s.deployer(t, "zr-x", "shop").Diff(t.Context(), r)
	if err == nil || fault.HintOf(err) == "" {
		t.Fatalf("the error is %v, its hint %q", err, fault.HintOf(err))
	}
	for _, want := range []string{
		`/gadget.yaml:1:1: Gadget "one" has no namespace`,
		`/nothing.yaml:1:1: Nothing "two": the cluster serves no kind Nothing of nowhere.example.com/v1`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}
