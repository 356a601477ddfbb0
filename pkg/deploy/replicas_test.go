package deploy

import (
	"strings"
	"testing"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render/rendertest"
	"zr/pkg/event"
)

// TestANewAutoscalerFindsTheReplicas has a Deployment that zr applied with a
// number of replicas, and then one of which the autoscaler has set it.
func TestANewAutoscalerFindsTheReplicas(t *testing.T) {
	const manifests = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example/web:1"}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {minReplicas: 2, maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
`
	for fields, want := range map[string]bool{`{"f:spec":{"f:replicas":{}}}`: true, `{"f:spec":{"f:paused":{}}}`: false} {
		r := rendertest.Text(t, manifests, nil)
		var sent []string
		s := shop(t, &sent)
		live := `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop","labels":{"` + manifest.PartOfLabel + `":"` + r.ID + `"},
			"managedFields":[{"manager":"zr","operation":"Apply","fieldsV1":` + fields + `}]},"spec":{"replicas":7}}`
		s.documents["/apis/apps/v1/namespaces/shop/deployments"] = list(live)
		d := s.deployer(t, "zr-x", "shop")
		cs, err := d.Diff(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Apply(t.Context(), r, cs, event.Discard); err != nil {
			t.Fatal(err)
		}
		asked := 0
		for _, request := range sent {
			if !strings.Contains(request, "/deployments/web ") {
				continue
			}
			asked++
			if got := strings.Contains(request, `"replicas":7`); got != want {
				t.Errorf("with %s zr sends %s", fields, request)
			}
		}
		if asked < 2 {
			t.Errorf("with %s, sent is %q", fields, sent)
		}
	}
}
