package lifecycle_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"zr/internal/api/lifecycle"
	"zr/internal/api/store/postgres"
)

// A service gets back the template of an earlier revision, and the answer is there
// when that runs and all of it is ready.
func TestRollback200(t *testing.T) {
	e := newEnvironment(t)
	e.PlayKubelet()
	e.deploy("web", 2, "")
	e.Create(e.Client("apps", "v1", "statefulsets"), `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db},
		spec: {replicas: 1, serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}},
		spec: {schedulerName: nobody, terminationGracePeriodSeconds: 0, containers: [{name: main, image: "none:1"}]}}}}`)
	for name, resource := range map[string]string{"web": "deployments", "db": "statefulsets"} {
		all := e.Client("apps", "v1", resource)
		image := func() string {
			w, err := all.Get(t.Context(), name, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			containers, _, _ := unstructured.NestedSlice(w.Object, "spec", "template", "spec", "containers")
			return containers[0].(map[string]any)["image"].(string)
		}
		revisions := func() (list []lifecycle.Revision) {
			got := e.Get("/api/v1/services/" + name + "/revisions")
			var answer struct{ Revisions []lifecycle.Revision }
			if got.Status != 200 {
				t.Fatalf("%s: got %d %s", name, got.Status, got.Body)
			}
			got.Decode(t, &answer)
			return answer.Revisions
		}
		effect(t, e.post(name+"/restart", "")) // the first revision runs, and this is the second
		const change = `{"metadata":{"annotations":{"kubernetes.io/change-cause":"a new image"}},
			"spec":{"template":{"spec":{"containers":[{"name":"main","image":"none:2","env":[{"name":"NEW","value":"1"}]}]}}}}`
		if _, err := all.Patch(t.Context(), name, types.StrategicMergePatchType, []byte(change), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		effect(t, e.post(name+"/restart", ""))
		e.until(func() bool {
			list := revisions()
			return len(list) >= 3 && list[0].Current && list[0].Images[0] == "none:2"
		})
		list := revisions()
		first := list[len(list)-1]
		if first.Images[0] != "none:1" || first.Current || first.CreatedAt.IsZero() || list[0].Cause != "a new image" && name == "web" {
			t.Errorf("%s: got %+v", name, list)
		}
		got := effect(t, e.post(name+"/rollback", fmt.Sprintf(`{"revision":%d}`, first.Revision), "Idempotency-Key", "back"))
		if got.Ready != got.Replicas || got.Ready == 0 || image() != "none:1" {
			t.Errorf("%s: rolled back: %+v, and %s runs", name, got, image())
		}
		if again := effect(t, e.post(name+"/rollback", fmt.Sprintf(`{"revision":%d}`, first.Revision), "Idempotency-Key", "back")); again != got {
			t.Errorf("%s: the same key: %+v, want %+v", name, again, got)
		}
		if now := revisions()[0]; !now.Current || now.Images[0] != "none:1" || now.Revision <= list[0].Revision {
			t.Errorf("%s: afterwards %+v", name, revisions())
		}
		records, err := e.DB.AuditLog(t.Context(), postgres.AuditFilter{Action: "rollbackService", Target: name}, 0, 10)
		if err != nil || len(records) != 1 || records[0].Outcome != postgres.Done {
			t.Errorf("%s: recorded %+v, %v", name, records, err)
		}
	}
}
