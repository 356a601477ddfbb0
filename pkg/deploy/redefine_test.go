package deploy

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/state"
	"zr/pkg/event"
)

// A definition learns of a field in the same run as its first object uses it.
func TestAFieldThatIsNewInADefinition(t *testing.T) {
	const (
		definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
		gadgets     = "/apis/example.com/v1/namespaces/shop/gadgets"
		definition  = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  names: {kind: Gadget, plural: gadgets, singular: gadget}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`
	)
	dir := t.TempDir()
	for file, text := range map[string]string{
		"kustomization.yaml": "namespace: shop\nresources: [crd.yaml, gadget.yaml, settings.yaml]\n",
		"crd.yaml":           definition,
		"gadget.yaml":        "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: one}\nspec: {colour: red}\n",
		"settings.yaml":      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := render.Render(t.Context(), render.Options{Overlay: dir, Set: "zr-x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, applied := range []bool{false, true} { // whether the definition was applied as it is rendered
		s := &stub{documents: map[string]string{"/api/v1/namespaces/shop": `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}`}}
		parent := state.NewParent("zr-x", "shop")
		for _, o := range r.Objects {
			live, err := o.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			switch o.Kind.Kind {
			case "CustomResourceDefinition":
				s.documents[definitions+"/"+o.GetName()] = strings.TrimSuffix(strings.TrimSpace(string(live)), "}") + `,"status":{"conditions":[{"type":"Established","status":"True"}]}}`
				rendered, err := state.Hash(o.Unstructured)
				if err != nil {
					t.Fatal(err)
				}
				if applied {
					parent.Records[manifest.Key(o.Unstructured)] = state.Record{Manifest: rendered}
				}
			case "Gadget":
				s.documents[gadgets] = list(strings.Replace(string(live), `"colour":"red"`, `"size":3`, 1))
			}
		}
		secret, err := parent.Object()
		if err != nil {
			t.Fatal(err)
		}
		data, err := secret.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		s.documents["/api/v1/namespaces/shop/secrets/zr-x"] = string(data)
		judged := 0
		s.patch = func(w http.ResponseWriter, q *http.Request) {
			// The dry run, and the first try after the definition.
			if q.URL.Path == gadgets+"/one" {
				judged++
			}
			if q.URL.Path == gadgets+"/one" && judged < 3 {
				status(w, http.StatusInternalServerError, "InternalError", "failed to create typed patch object (shop/one; example.com/v1, Kind=Gadget): .spec.colour: field not declared in schema")
				return
			}
			_, _ = w.Write([]byte(`{"apiVersion":"v1","kind":"Thing","metadata":{"name":"x","managedFields":[{"manager":"zr","operation":"Apply","fieldsV1":{}}]}}`))
		}
		d := s.deployer(t, "zr-x", "shop")
		cs, err := d.Diff(t.Context(), r)
		if (err != nil) != applied {
			t.Errorf("the definition was applied: %v: %v", applied, err)
		}
		if err == nil {
			if err := d.Apply(t.Context(), r, cs, event.Discard); err != nil || judged != 3 {
				t.Errorf("tried %d times: %v", judged, err)
			}
		}
	}
}
