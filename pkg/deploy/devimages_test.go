package deploy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render/rendertest"
)

// TestDevImagesAreThoseOfTheTemplatesThatRun asks for what an apply has noted,
// beside a workload that went back to its release image.
func TestDevImagesAreThoseOfTheTemplatesThatRun(t *testing.T) {
	const manifests = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, zr.dev/dev: "true"}}
    spec: {containers: [{name: web, image: web}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api, zr.dev/dev: "true"}}
    spec: {containers: [{name: api, image: api}]}
`
	r := rendertest.Text(t, manifests, nil)
	r.PinDev(map[string]string{"web": "shop/web@sha256:1", "api": "shop/api@sha256:1"})
	for _, o := range r.Objects {
		if o.GetKind() == "Deployment" && devImageOf(o.Unstructured) != "shop/"+o.GetName()+"@sha256:1" {
			t.Errorf("%s was not noted: %v", o.GetName(), manifest.PodTemplate(o.Unstructured))
		}
	}
	var sent []string
	s := shop(t, &sent)
	live := func(name, labels string) string {
		return `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"` + name + `","namespace":"shop"},
			"spec":{"template":{"metadata":{"labels":{` + labels + `},"annotations":{"zr.dev/dev-image":"shop/` + name + `@sha256:0"}}}}}`
	}
	s.documents["/apis/apps/v1/namespaces/shop/deployments"] = list(live("web", `"zr.dev/dev":"true"`), live("api", ""), live("other", `"zr.dev/dev":"true"`))
	got, err := s.deployer(t, "zr-x", "shop").DevImages(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"web": "shop/web@sha256:0"}, got); diff != "" {
		t.Error(diff)
	}
}
