package deploy_test

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy"
	"zr/pkg/kube/object"
)

// TestTheTimeOfANamespace is in no manifest: it is no difference, and an apply leaves it.
func TestTheTimeOfANamespace(t *testing.T) {
	r := newRun(t)
	r.up()
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	if err := r.deployer().Keep(t.Context(), until); err != nil {
		t.Fatal(err)
	}
	if cs := r.diff(); !cs.Empty() {
		t.Errorf("after it was noted the change set does %v", actions(cs))
	}
	r.Edit("namespace.yaml", "{name:", "{labels: {a: b}, name:")
	r.up()
	for now, want := range map[time.Time]bool{until: false, until.Add(time.Second): true} {
		expired, err := r.deployer().Expired(t.Context(), now)
		if got := slices.Contains(expired, deploy.Expired{Set: r.Options.Set, Namespace: r.Namespace, Since: until.UTC()}); err != nil || got != want {
			t.Errorf("%s after its end: %v, %v", now.Sub(until), expired, err)
		}
	}
}

// TestRenewedAfterItHadEnded: what the api has stopped since the time was over runs again
// with as many pods, and what somebody has stopped stays so.
func TestRenewedAfterItHadEnded(t *testing.T) {
	r := newRun(t)
	r.up()
	stopped := func(resource, name, by string) {
		r.changed(resource, name, `{"metadata":{"annotations":{"zr.dev/stopped-by":"`+by+`","zr.dev/stopped-at":"2026-01-02T15:04:05Z","zr.dev/stopped-replicas":"2"}},"spec":{"replicas":0}}`)
	}
	stopped("deployments", "web", object.StoppedByExpiry)
	stopped("statefulsets", "db", "ann")
	if err := r.deployer().Keep(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	replicas := func(resource, name string) int64 {
		n, _, _ := unstructured.NestedInt64(r.admin.get(resource, r.Namespace, name).Object, "spec", "replicas")
		return n
	}
	if web, db := replicas("deployments", "web"), replicas("statefulsets", "db"); web != 2 || db != 0 {
		t.Errorf("web is to have %d pods, db %d", web, db)
	}
	if cs := r.diff(); !cs.Empty() {
		t.Errorf("once it was renewed the change set does %v", actions(cs))
	}
}
