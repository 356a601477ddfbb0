package deploy

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/event"
)

// A webhook with side effects keeps the server from saying what an apply would
// do. The apply has to happen all the same.
func TestAWebhookWithoutDryRun(t *testing.T) {
	dir := t.TempDir()
	text := "namespace: shop\nconfigMapGenerator: [{name: x, literals: [a=new]}]\ngeneratorOptions: {disableNameSuffixHash: true}\n"
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := render.Render(t.Context(), render.Options{Overlay: dir, Set: "zr-x"})
	if err != nil {
		t.Fatal(err)
	}
	const namespace = "/api/v1/namespaces/shop"
	live := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"shop","labels":{"` + manifest.PartOfLabel + `":"` + r.ID + `"}},"data":{"a":"old"}}`
	var applied []string
	s := &stub{
		documents: map[string]string{namespace: `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}`, namespace + "/configmaps": list(live)},
		patch: func(w http.ResponseWriter, q *http.Request) {
			if q.URL.Query().Get("dryRun") != "" {
				status(w, http.StatusBadRequest, "BadRequest", `admission webhook "audit.example.com" does not support dry run`)
				return
			}
			applied = append(applied, q.URL.Path)
			_, _ = w.Write([]byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","managedFields":[{"manager":"zr","operation":"Apply","fieldsV1":{}}]}}`))
		},
	}
	d := s.deployer(t, "zr-x", "shop")
	cs, err := d.Diff(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if cs.Count(Configured) != 1 {
		t.Errorf("the change set is %+v", cs.Changes)
	}
	if err := d.Apply(t.Context(), r, cs, event.Discard); err != nil {
		t.Fatal(err)
	}
	for _, path := range applied {
		if path == namespace+"/configmaps/x" {
			return
		}
	}
	t.Errorf("applied is %v", applied)
}
