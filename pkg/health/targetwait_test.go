package health

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"zr/pkg/diagnose"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/probe"
)

// TestHopeless is about what is given up before the deadline.
func TestHopeless(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	crashed := func(times int32) *diagnose.Reason {
		return &diagnose.Reason{Cause: diagnose.Crash, Pod: "p", Container: "c", Crashes: times}
	}
	const quotaGrace = 15 * time.Second
	quota := &diagnose.Reason{Cause: diagnose.Refusal, Text: "quota", Hopeless: true, Grace: quotaGrace}
	w := &waiting{hopeful: map[string]bool{}}
	v := &targetWait{call: w, target: Target{Target: diagnose.Target{Service: "api"}}, before: map[instance]int32{{"p", "c"}: 10}}
	for _, step := range []struct {
		name  string
		why   *diagnose.Reason
		after time.Duration
		want  bool
	}{
		{"nothing", nil, 0, false},
		{"crashes from before", crashed(10), 0, false},
		{"crashed again", crashed(11), 0, true},
		{"quota", quota, 0, false},
		{"quota, still", quota, quotaGrace - 1, false},
		{"quota, for long", quota, quotaGrace, true},
		{"raised", nil, quotaGrace, false},
		{"quota again", quota, quotaGrace + 1, false},
		{"a name that cannot be", &diagnose.Reason{Cause: diagnose.Image, Text: "name", Hopeless: true}, 0, true},
		{"a pull that may succeed", &diagnose.Reason{Cause: diagnose.Image, Text: "pull"}, time.Hour, false},
	} {
		v.last.Why = step.why
		if got := v.hopeless(now.Add(step.after)); got != step.want {
			t.Errorf("%s: %v", step.name, got)
		}
	}
	v.before = nil
	w.hopes("db", true)
	for _, step := range []struct {
		name  string
		times int32
		want  bool
	}{
		{"it is started again", crashLoop - 1, false},
		{"another may come up that it waits for", crashLoop, false},
		{"that took too long", crashLoopBeside, true},
	} {
		if v.last.Why = crashed(step.times); v.hopeless(now) != step.want {
			t.Errorf("%s: gave up is %v", step.name, !step.want)
		}
	}
	w.hopes("db", false)
	if v.last.Why = crashed(crashLoop); !v.hopeless(now) {
		t.Error("waits on, although nothing else comes up")
	}
	if w.others("db") {
		t.Error("what crashes holds up others that crash")
	}
}

func TestInOrder(t *testing.T) {
	target := func(name string, on ...string) Target {
		return Target{Target: diagnose.Target{Service: name}, DependsOn: on}
	}
	for _, tc := range []struct {
		targets []Target
		want    string
	}{
		{[]Target{target("web", "api", "elsewhere"), target("api", "db"), target("db")}, ""},
		{[]Target{target("a"), target("a")}, "named twice"},
		{[]Target{target("a", "b"), target("b", "c"), target("c", "b")}, "b → c → b"},
		{[]Target{target("a", "a")}, "a → a"},
	} {
		err := inOrder(tc.targets)
		switch {
		case err == nil && tc.want == "":
		case err == nil || !strings.Contains(err.Error(), tc.want):
			t.Errorf("got %v, want %q", err, tc.want)
		case strings.Contains(tc.want, "→") && fault.Code(err) != fault.Usage:
			t.Errorf("the exit code is %d", fault.Code(err))
		}
	}
}

// TestACrashingJobIsTriedAsOftenAsItSays leaves it to its backoffLimit.
func TestACrashingJobIsTriedAsOftenAsItSays(t *testing.T) {
	v := &targetWait{call: &waiting{hopeful: map[string]bool{}}, target: Target{Target: diagnose.Target{Kind: "Job"}}}
	if v.last.Why = (&diagnose.Reason{Cause: diagnose.Crash, Crashes: crashLoop + 1}); v.hopeless(time.Now()) {
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
	g := New(clientOf(t, server.URL), nil)
	defer g.Close()
	targets := []Target{
		{Target: diagnose.Target{Service: "migrate", Kind: "Job", Namespace: "ns", Probe: probe.Rollout}},
		{Target: diagnose.Target{Service: "api", Kind: "Deployment", Namespace: "ns"}, DependsOn: []string{"migrate"}},
	}
	err := g.Wait(t.Context(), targets, event.Discard)
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
