package health

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"zr/pkg/event"
	"zr/pkg/fault"
)

func jobOf(spec, status string) string {
	return `kind: Job
metadata: {name: migrate, namespace: ns, uid: j}
spec: {` + spec + `template: {spec: {containers: [{name: migrate, image: m}]}}}
status: {` + status + `}
---
`
}

func podOfJob(name, phase, state string) string {
	return podOfSet(name, "j", `phase: `+phase+`, containerStatuses: [{name: migrate, ready: false, restartCount: 0, image: "", imageID: "", state: {`+state+`}}]`)
}

func TestJobRollout(t *testing.T) {
	const failedStatus = `failed: 1, conditions: [{type: Failed, status: "True", reason: BackoffLimitExceeded, message: Job has reached the specified backoff limit}]`
	for _, tc := range []struct {
		name, objects   string
		vanishes        bool
		healthy         bool
		reason, hint    string
		hopeless        bool
		ready, desired  int32
		pod, containers string
	}{
		{name: "completed", objects: join(jobOf("", `succeeded: 1, conditions: [{type: Complete, status: "True"}]`), podOfJob("m-1", "Succeeded", "terminated: {exitCode: 0}")),
			healthy: true, ready: 1, desired: 1},
		{name: "completed at the second try", objects: join(jobOf("", `succeeded: 1, failed: 1, conditions: [{type: Complete, status: "True"}]`), podOfJob("m-1", "Failed", "terminated: {exitCode: 1}")),
			healthy: true, ready: 1, desired: 1},
		{name: "runs", objects: join(jobOf("", "active: 1"), podOfJob("m-1", "Running", "running: {}")), reason: "it has not completed", desired: 1},
		{name: "its first container has ended", objects: join(jobOf("completions: 3, ", "active: 1, succeeded: 1"), podOfJob("m-1", "Running", "terminated: {exitCode: 0}")),
			reason: "it has not completed", ready: 1, desired: 3},
		{name: "is tried again", objects: join(jobOf("", "active: 1, failed: 1"), podOfJob("m-1", "Failed", "terminated: {exitCode: 3}")),
			reason: `container "migrate" crashed with exit code 3`, desired: 1},
		{name: "was given up", objects: join(jobOf("", failedStatus), podOfJob("m-1", "Failed", "terminated: {exitCode: 3}")),
			reason: `it was given up: BackoffLimitExceeded: Job has reached the specified backoff limit; container "migrate" ended with exit code 3`,
			hint:   "kubectl -n ns delete job migrate", hopeless: true, pod: "m-1", desired: 1},
		{name: "was given up, its pods with it", objects: join(jobOf("", failedStatus)),
			reason: "it was given up: BackoffLimitExceeded: Job has reached the specified backoff limit", hint: "restartPolicy: Never", hopeless: true, desired: 1},
		{name: "is not there", objects: join(podOfSet("other", "x", readyStatus)), reason: `Job "migrate" is not in namespace "ns"`, hopeless: true},
		{name: "is not there any more", objects: join(podOfSet("other", "x", readyStatus)), vanishes: true, healthy: true},
		{name: "may not make pods", objects: join(jobOf("", ""), warningAbout("Job", "j", "FailedCreate", `Error creating: pods "migrate-x" is forbidden: exceeded quota: q`)),
			reason: "quota: exceeded quota: q", hopeless: true, desired: 1},
	} {
		s := read(t, tc.objects)
		target := Target{Service: "job/migrate", Name: "migrate", Kind: "Job", Namespace: "ns", Probe: ProbeRollout, Vanishes: tc.vanishes}
		f := finding{rollout: s.rolloutOf(target)}
		f.why = s.diagnose(target, f.rollout, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		if _, asked := f.rollout.probed(); asked {
			t.Errorf("%s: its pod is asked", tc.name)
		}
		if f.healthy() != tc.healthy || f.rollout.ready != tc.ready || f.rollout.desired != tc.desired {
			t.Errorf("%s: healthy is %v, %d of %d", tc.name, f.healthy(), f.rollout.ready, f.rollout.desired)
		}
		if tc.healthy {
			continue
		}
		why := f.wrong(target)
		if why.text != tc.reason || !strings.Contains(why.hint, tc.hint) || why.hopeless != tc.hopeless || tc.pod != "" && (why.pod != tc.pod || !why.logged) {
			t.Errorf("%s: got %+v", tc.name, why)
		}
	}
}

// TestACrashingJobIsTriedAsOftenAsItSays leaves it to its backoffLimit.
func TestACrashingJobIsTriedAsOftenAsItSays(t *testing.T) {
	v := &vigil{wait: &waiting{hopeful: map[string]bool{}}, target: Target{Kind: "Job"}}
	if v.last.why = (&reason{cause: crash, crashes: crashLoop + 1}); v.hopeless(time.Now()) {
		t.Error("it was given up")
	}
}

// TestAJobThatFailedFailsTheRun waits for a Job and for what needs it.
func TestAJobThatFailedFailsTheRun(t *testing.T) {
	lists := map[string]string{
		"jobs": `"kind": "JobList", "apiVersion": "batch/v1", "items": [{"metadata": {"name": "migrate", "namespace": "ns", "uid": "j"},
			"status": {"failed": 1, "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}}]`,
		"pods": `"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "m-1", "namespace": "ns", "uid": "p", "ownerReferences": [{"uid": "j", "controller": true}]},
			"status": {"phase": "Failed", "containerStatuses": [{"name": "migrate", "state": {"terminated": {"exitCode": 3}}}]}}]`,
		"deployments":  `"kind": "DeploymentList", "apiVersion": "apps/v1", "items": []`,
		"statefulsets": `"kind": "StatefulSetList", "apiVersion": "apps/v1", "items": []`,
		"replicasets":  `"kind": "ReplicaSetList", "apiVersion": "apps/v1", "items": []`,
		"events":       `"kind": "EventList", "apiVersion": "v1", "items": []`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Query().Get("watch") != "":
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case path.Base(r.URL.Path) == "log":
			fmt.Fprintln(w, "2026-01-02T03:04:05Z column exists already")
		case lists[path.Base(r.URL.Path)] == "":
			t.Errorf("%s was asked for", r.URL.Path)
			http.NotFound(w, r)
		default:
			fmt.Fprintf(w, `{"metadata": {"resourceVersion": "1"}, %s}`, lists[path.Base(r.URL.Path)])
		}
	}))
	t.Cleanup(server.Close)
	g, err := New(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	targets := []Target{
		{Service: "migrate", Kind: "Job", Namespace: "ns", Probe: ProbeRollout},
		{Service: "api", Kind: "Deployment", Namespace: "ns", DependsOn: []string{"migrate"}},
	}
	err = g.Wait(t.Context(), targets, event.Discard)
	if fault.Code(err) != fault.NotHealthy {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"BackoffLimitExceeded", "column exists already", `service "api" waits for migrate`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	statuses, err := g.Check(t.Context(), targets[:1])
	if err != nil || statuses[0].State != event.Unhealthy || len(statuses[0].Proof) != 1 {
		t.Errorf("got %+v, %v", statuses, err)
	}
}
