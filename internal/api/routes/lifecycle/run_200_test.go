package lifecycle_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const job = `{apiVersion: batch/v1, kind: Job, metadata: {name: seed, labels: {app: seed}, annotations: {of: project}},
	spec: {backoffLimit: 0, template: {metadata: {labels: {app: seed}},
	spec: {schedulerName: nobody, restartPolicy: Never, containers: [{name: main, image: "none:1"}]}}}}`

// A Job that has ended is run again, as it was, and answered for when it has
// completed.
func TestRun200(t *testing.T) {
	e := newEnvironment(t)
	jobs := e.Client("batch", "v1", "jobs")
	before := e.Create(jobs, job)
	if got := e.post("seed/run", ""); got.Status != 409 || got.Problem(t) != "conflict" {
		t.Errorf("while it runs: got %d %s", got.Status, got.Body)
	}
	e.Play(`{"status":{"phase":"Succeeded"}}`)
	e.until(func() bool {
		now, err := jobs.Get(t.Context(), "seed", metav1.GetOptions{})
		return err == nil && completed(now.Object)
	})
	if got := effect(t, e.post("seed/run", "", "Idempotency-Key", "again")); got.Ready != 1 || got.Replicas != 1 {
		t.Errorf("got %+v", got)
	}
	after, err := jobs.Get(t.Context(), "seed", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if after.GetUID() == before.GetUID() || !completed(after.Object) || after.GetLabels()["app"] != "seed" || after.GetAnnotations()["of"] != "project" {
		t.Errorf("it is %v, before %v", after.Object, before.GetUID())
	}
	effect(t, e.post("seed/run", "", "Idempotency-Key", "again"))
	if now, err := jobs.Get(t.Context(), "seed", metav1.GetOptions{}); err != nil || now.GetUID() != after.GetUID() {
		t.Errorf("the same key ran it again: %v", err)
	}
}

// What fails is said to have failed, and what is no Job is not run.
func TestRun502(t *testing.T) {
	e := newEnvironment(t)
	jobs := e.Client("batch", "v1", "jobs")
	e.Create(jobs, job)
	e.Play(`{"status":{"phase":"Failed"}}`)
	e.until(func() bool { return e.post("seed/run", "").Status == 502 })
	if got := e.post("seed/run", ""); got.Status != 502 || got.Problem(t) != "job_failed" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	e.deploy("web", 0, "")
	if got := e.post("web/run", ""); got.Status != 409 || got.Problem(t) != "conflict" {
		t.Errorf("a Deployment: got %d %s", got.Status, got.Body)
	}
}

func completed(job map[string]any) bool {
	status, _ := job["status"].(map[string]any)
	conditions, _ := status["conditions"].([]any)
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && c["type"] == "Complete" && c["status"] == "True" {
			return true
		}
	}
	return false
}
