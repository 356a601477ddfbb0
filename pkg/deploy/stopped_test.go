package deploy_test

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy"
)

// What somebody stopped stays stopped through further applies, also of changed
// manifests, until he starts it.
func TestWhatWasStoppedStaysStopped(t *testing.T) {
	r := newRun(t)
	r.up()
	replicas := func() int64 {
		n, _, _ := unstructured.NestedInt64(r.admin.get("deployments", r.Namespace, "web").Object, "spec", "replicas")
		return n
	}
	r.patch("deployments", "web", `{"metadata":{"annotations":{"zr.dev/stopped-by":"ada","zr.dev/stopped-at":"2026-01-02T12:00:00Z"}},"spec":{"replicas":0}}`)
	for range 2 {
		if cs := r.up(); !slices.Equal(cs.Stopped, []string{"web"}) || replicas() != 0 {
			t.Fatalf("stopped are %v, and web has %d replicas", cs.Stopped, replicas())
		}
	}
	expectActions(t, r.diff(), nil)
	r.Edit("web.yaml", "replicas: 2", "replicas: 3")
	r.up()
	if replicas() != 0 {
		t.Errorf("another manifest has started it: %d replicas", replicas())
	}
	r.patch("deployments", "web", `{"metadata":{"annotations":{"zr.dev/stopped-by":null,"zr.dev/stopped-at":null}},"spec":{"replicas":2}}`)
	cs := r.up()
	expectActions(t, cs, map[string]deploy.Action{"Deployment/web": deploy.Configured})
	if len(cs.Stopped) > 0 || replicas() != 3 {
		t.Errorf("started: stopped are %v, and web has %d replicas", cs.Stopped, replicas())
	}
	// Without the mark it is drift, as it always was.
	r.patch("deployments", "web", `{"spec":{"replicas":0}}`)
	if r.up(); replicas() != 3 {
		t.Errorf("scaled by hand: %d replicas", replicas())
	}
}
