package deploy

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// A port of the node belongs to one Service at a time, so that one under a new
// name gets it when the one under the old name has gone.
func TestARenamedServiceKeepsItsNodePort(t *testing.T) {
	const namespace = "/api/v1/namespaces/shop"
	for _, ours := range []bool{true, false} {
		dir := t.TempDir()
		for file, text := range map[string]string{
			"kustomization.yaml": "namespace: shop\nresources: [service.yaml]\n",
			"service.yaml":       "apiVersion: v1\nkind: Service\nmetadata: {name: new}\nspec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := render.Render(t.Context(), render.Options{Overlay: dir, Set: "zr-x"})
		if err != nil {
			t.Fatal(err)
		}
		old := fmt.Sprintf(`{"apiVersion":"v1","kind":"Service","metadata":{"name":"old","namespace":"shop","uid":"u","labels":{%q:%q}},"spec":{"ports":[{"port":80,"nodePort":30080}]}}`, manifest.PartOfLabel, r.ID)
		s := &stub{documents: map[string]string{
			namespace:                   `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}`,
			namespace + "/services":     list(old),
			namespace + "/services/old": old,
			"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": `{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","status":{"allowed":true}}`,
		}}
		if !ours { // the server selects by the label of the set
			s.documents[namespace+"/services"] = list()
		}
		s.patch = func(w http.ResponseWriter, q *http.Request) {
			if q.URL.Path == namespace+"/services/new" && !slices.Contains(s.deleted, namespace+"/services/old") {
				status(w, http.StatusUnprocessableEntity, "Invalid", `Service "new" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated`)
				return
			}
			_, _ = w.Write([]byte(`{"apiVersion":"v1","kind":"Service","metadata":{"name":"new","managedFields":[{"manager":"zr","operation":"Apply","fieldsV1":{}}]}}`))
		}
		d := s.deployer(t, "zr-x", "shop")
		cs, err := d.Diff(t.Context(), r)
		if !ours {
			if hint := fault.HintOf(err); !strings.Contains(hint, "kubectl get services -A") {
				t.Errorf("a port of somebody else's Service: %v, hint %q", err, hint)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Apply(t.Context(), r, cs, event.Discard); err != nil {
			t.Error(err)
		}
	}
}
