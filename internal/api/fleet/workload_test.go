package fleet

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"zr/internal/api/kube"
)

var now = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) string { return now.Add(-d).Format(time.RFC3339) }

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// deployment is a Deployment of two replicas with this status.
func deployment(replicas int, status string) string {
	return fmt.Sprintf(`{"metadata":{"name":"web","generation":3},
		"spec":{"replicas":%d,"selector":{"matchLabels":{"app":"web"}},"template":{"spec":{"containers":[
			{"name":"sidecar","image":"proxy:1"},
			{"name":"web","image":"web@sha256:1","env":[{"name":"ZR_BUILD_HASH","value":"b1"}]}]}}},
		"status":%s}`, replicas, status)
}

// pod is a pod of the deployment with this status.
func pod(name, status string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q,"labels":{"app":"web"}},"status":%s}`, name, status)
}

var (
	rolledOut = `{"observedGeneration":3,"readyReplicas":2,"updatedReplicas":2}`
	rolling   = `{"observedGeneration":3,"readyReplicas":1,"updatedReplicas":1}`
	ready     = `{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],
		"containerStatuses":[{"name":"web","ready":true,"started":true,"restartCount":1,"state":{"running":{"startedAt":"` + ago(time.Hour) + `"}}}]}`
)

func waiting(reason, message, last string) string {
	return fmt.Sprintf(`{"phase":"Pending","conditions":[{"type":"Ready","status":"False"},{"type":"Initialized","status":"True"}],
		"containerStatuses":[{"name":"web","restartCount":4,"state":{"waiting":{"reason":%q,"message":%q}},"lastState":%s}]}`, reason, message, last)
}

func running(started bool, since time.Duration, unready time.Duration) string {
	return fmt.Sprintf(`{"phase":"Running","conditions":[{"type":"Ready","status":"False","lastTransitionTime":%q}],
		"containerStatuses":[{"name":"web","started":%v,"state":{"running":{"startedAt":%q}}}]}`, ago(unready), started, ago(since))
}

func TestWorkloads(t *testing.T) {
	for _, c := range []struct {
		name     string
		replicas int
		status   string
		pods     []string
		state    State
		code     string
		message  string
	}{
		{"healthy", 2, rolledOut, []string{ready, ready}, Healthy, "", ""},
		{"scaled to zero", 0, `{}`, nil, Pending, Stopped, "scaled to zero"},
		{"no pods yet", 2, `{}`, nil, Pending, "", ""},
		{"the controller has not looked yet", 2, `{"observedGeneration":2,"readyReplicas":2,"updatedReplicas":2}`, []string{ready, ready}, Starting, "", ""},
		{"rolling", 2, rolling, []string{ready}, Starting, "", ""},
		{"being made", 2, rolling, []string{ready, waiting("ContainerCreating", "", `{}`)}, Starting, "", ""},
		{"crash loop", 2, rolling, []string{ready, waiting("CrashLoopBackOff", "back-off 10s", `{"terminated":{"exitCode":2}}`)},
			Unhealthy, Crash, `container "web" ended with exit code 2`},
		{"killed by a signal", 2, rolling, []string{waiting("CrashLoopBackOff", "", `{"terminated":{"exitCode":139,"signal":11}}`)},
			Unhealthy, Crash, `container "web" was ended by signal 11`},
		{"out of memory", 2, rolling, []string{waiting("CrashLoopBackOff", "", `{"terminated":{"reason":"OOMKilled","exitCode":137}}`)},
			Unhealthy, OutOfMemory, `container "web" took more memory than its limit`},
		{"crashed a moment ago", 2, rolling, []string{`{"phase":"Running","containerStatuses":[{"name":"web","state":{"terminated":{"exitCode":1}}}]}`},
			Unhealthy, Crash, `container "web" ended with exit code 1`},
		{"image that does not exist", 2, rolling, []string{waiting("ImagePullBackOff", "Back-off pulling image \"x\"\nand more", `{}`)},
			Unhealthy, ImagePull, `image of container "web": Back-off pulling image "x"`},
		{"image that is not on the node", 2, rolling, []string{waiting("ErrImageNeverPull", "", `{}`)},
			Unhealthy, ImagePull, `image of container "web": ErrImageNeverPull`},
		{"missing secret", 2, rolling, []string{waiting("CreateContainerConfigError", `secret "secrets" not found`, `{}`)},
			Unhealthy, Config, `container "web": secret "secrets" not found`},
		{"unschedulable", 2, `{}`, []string{`{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/1 nodes are available: 1 Insufficient cpu."}]}`},
			Pending, Scheduling, "0/1 nodes are available: 1 Insufficient cpu."},
		{"quota", 2, `{"conditions":[{"type":"ReplicaFailure","status":"True","message":"pods \"web\" is forbidden: exceeded quota: q"}]}`, nil,
			Unhealthy, Quota, `pods "web" is forbidden: exceeded quota: q`},
		{"refused by admission", 2, `{"conditions":[{"type":"ReplicaFailure","status":"True","message":"violates PodSecurity"}]}`, nil,
			Unhealthy, NotCreated, "violates PodSecurity"},
		{"init container runs", 2, rolling, []string{`{"phase":"Pending","conditions":[{"type":"Initialized","status":"False"}],"initContainerStatuses":[{"name":"wait","state":{"running":{"startedAt":"` + ago(time.Minute) + `"}}}],"containerStatuses":[{"name":"web","state":{"waiting":{"reason":"PodInitializing"}}}]}`},
			Pending, Waiting, `init container "wait" has not ended yet`},
		{"init container crashes", 2, rolling, []string{`{"phase":"Pending","initContainerStatuses":[{"name":"wait","state":{"terminated":{"exitCode":3}}}]}`},
			Unhealthy, Crash, `container "wait" ended with exit code 3`},
		{"startup probe goes on", 2, rolling, []string{running(false, time.Hour, time.Hour)}, Starting, "", ""},
		{"started a moment ago", 2, rolling, []string{running(true, time.Second, time.Hour)}, Starting, "", ""},
		{"stopped being ready a moment ago", 2, rolling, []string{running(true, time.Hour, time.Second)}, Starting, "", ""},
		{"probe fails", 2, rolling, []string{running(true, time.Hour, time.Minute)}, Unhealthy, Probe, `container "web" runs and fails its readiness probe`},
		{"evicted", 2, rolling, []string{`{"phase":"Failed","reason":"Evicted","message":"The node was low on resource: memory."}`},
			Unhealthy, Evicted, "The node was low on resource: memory."},
		{"rollout takes too long", 2, `{"observedGeneration":3,"readyReplicas":1,"updatedReplicas":1,"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"timed out"}]}`, []string{ready},
			Unhealthy, Rollout, "timed out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := decode[kube.Workload](t, deployment(c.replicas, c.status))
			var pods []kube.Pod
			for i, status := range c.pods {
				pods = append(pods, decode[kube.Pod](t, pod(fmt.Sprintf("web-%d", i), status)))
			}
			s := service("Deployment", &w, pods, now)
			var got Reason
			if s.Reason != nil {
				got = *s.Reason
			}
			if s.State != c.state || got.Code != c.code || got.Message != c.message {
				t.Errorf("got %s %+v, want %s %s %q", s.State, got, c.state, c.code, c.message)
			}
		})
	}
}

func TestServiceCountsItsOwnPods(t *testing.T) {
	w := decode[kube.Workload](t, deployment(2, rolledOut))
	leaving := decode[kube.Pod](t, `{"metadata":{"name":"web-old","labels":{"app":"web"},"deletionTimestamp":"2026-01-02T11:59:00Z"},"status":{}}`)
	foreign := decode[kube.Pod](t, `{"metadata":{"name":"db-0","labels":{"app":"db"}},"status":{"containerStatuses":[{"restartCount":9}]}}`)
	s := service("Deployment", &w, []kube.Pod{
		decode[kube.Pod](t, pod("web-1", ready)), leaving, foreign, decode[kube.Pod](t, pod("web-0", ready)),
	}, now)
	if len(s.Pods) != 2 || s.Pods[0].Name != "web-0" || s.Restarts != 2 || s.Ready != 2 || s.Desired != 2 ||
		s.Image != "web@sha256:1" || s.Build != "b1" || !s.Started.Equal(now.Add(-time.Hour)) {
		t.Errorf("got %+v", s)
	}
}
