package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"zr/pkg/diagnose"
	"zr/pkg/kube/object"
)

var now = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) string { return now.Add(-d).Format(time.RFC3339) }

// held makes a snapshot of objects in the API's own words, each by its resource.
func held(t *testing.T, objects ...[2]string) *diagnose.Snapshot {
	t.Helper()
	resources := map[string]object.Resource{}
	for _, r := range watched {
		resources[r.Name] = r
	}
	s := diagnose.NewSnapshot()
	for _, o := range objects {
		made, err := resources[o[0]].Decode([]byte(o[1]))
		if err != nil {
			t.Fatalf("%v in %s", err, o[1])
		}
		s.Add(made)
	}
	return s
}

// deployment is a Deployment of two replicas with this status, and the ReplicaSet
// of its template.
func deployment(replicas int, status string) [][2]string {
	return [][2]string{{"deployments", fmt.Sprintf(`{"metadata":{"name":"web","uid":"d","generation":3,"annotations":{"deployment.kubernetes.io/revision":"2","zr.dev/depends-on":"db,cache"}},
		"spec":{"replicas":%d,"template":{"spec":{"containers":[
			{"name":"sidecar","image":"proxy:1"},
			{"name":"web","image":"web@sha256:1","env":[{"name":"ZR_BUILD_HASH","value":"b1"}]}]}}},
		"status":%s}`, replicas, status)},
		{"replicasets", `{"metadata":{"name":"web-2","uid":"rs2","annotations":{"deployment.kubernetes.io/revision":"2"},"ownerReferences":[{"uid":"d","controller":true}]}}`}}
}

// pod is a pod of the current ReplicaSet with this status.
func pod(name, owner, status string) [2]string {
	return [2]string{"pods", fmt.Sprintf(`{"metadata":{"name":%q,"uid":%[1]q,"ownerReferences":[{"uid":%q,"controller":true}]},
		"spec":{"nodeName":"node","containers":[{"name":"web","image":"web","readinessProbe":{}}]},"status":%s}`, name, owner, status)}
}

var (
	rolledOut = `{"observedGeneration":3,"replicas":2,"readyReplicas":2,"updatedReplicas":2,"availableReplicas":2}`
	rolling   = `{"observedGeneration":3,"replicas":2,"readyReplicas":1,"updatedReplicas":2,"availableReplicas":1}`
	ready     = `{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],
		"containerStatuses":[{"name":"web","ready":true,"started":true,"restartCount":1,"state":{"running":{"startedAt":"` + ago(time.Hour) + `"}}}]}`
)

func waiting(reason, message, last string) string {
	return fmt.Sprintf(`{"phase":"Pending","conditions":[{"type":"Ready","status":"False"},{"type":"Initialized","status":"True"}],
		"containerStatuses":[{"name":"web","image":"web","restartCount":4,"state":{"waiting":{"reason":%q,"message":%q}},"lastState":%s}]}`, reason, message, last)
}

func running(started bool, since, unready time.Duration) string {
	return fmt.Sprintf(`{"phase":"Running","conditions":[{"type":"Ready","status":"False","lastTransitionTime":%q}],
		"containerStatuses":[{"name":"web","started":%v,"state":{"running":{"startedAt":%q}}}]}`, ago(unready), started, ago(since))
}

func TestWorkloads(t *testing.T) {
	two := func(status string, pods ...string) [][2]string {
		objects := deployment(2, status)
		for i, p := range pods {
			objects = append(objects, pod(fmt.Sprintf("web-%d", i), "rs2", p))
		}
		return objects
	}
	for _, c := range []struct {
		name    string
		objects [][2]string
		state   State
		code    string
		message string // its beginning
	}{
		{"healthy", two(rolledOut, ready, ready), Healthy, "", ""},
		{"an evicted pod that was replaced", two(rolledOut, ready, ready, `{"phase":"Failed","reason":"Evicted"}`), Healthy, "", ""},
		{"scaled to zero", deployment(0, `{"observedGeneration":3}`), Pending, Stopped, "scaled to zero"},
		{"no pods yet", two(`{"observedGeneration":3}`), Pending, "unready", "0 of 2 pods are made"},
		{"the controller has not looked yet", two(strings.Replace(rolledOut, "3", "2", 1), ready, ready), Starting, "unready", "the deployment controller has not seen"},
		{"being made", two(rolling, ready, waiting("ContainerCreating", "", `{}`)), Starting, "unready", "1 of 2 pods are ready: its container is being made"},
		{"crash loop", two(rolling, ready, waiting("CrashLoopBackOff", "", `{"terminated":{"exitCode":2}}`)), Unhealthy, "crash", `container "web" crashed with exit code 2, 4 restarts`},
		{"image that does not exist", two(rolling, waiting("ImagePullBackOff", "not found", `{}`)), Unhealthy, "image_pull", `image "web" cannot be pulled: not found`},
		{"missing secret", two(rolling, waiting("CreateContainerConfigError", `secret "s" not found`, `{}`)), Unhealthy, "config", `container "web": secret "s" not found`},
		{"unschedulable", two(`{"observedGeneration":3}`, `{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/1 nodes are available."}]}`),
			Unhealthy, "scheduling", "no node takes pod web-0: 0/1 nodes are available"},
		{"mount", append(two(rolling, strings.Replace(waiting("ContainerCreating", "", `{}`), `"restartCount":4`, `"restartCount":0`, 1)), [2]string{"events", `{"involvedObject":{"uid":"web-0"},"reason":"FailedMount","message":"no secret"}`}),
			Unhealthy, "config", "pod web-0: no secret"},
		{"started a moment ago", two(rolling, running(true, time.Second, time.Hour)), Starting, "unready", "0 of 2 pods are ready"},
		{"startup probe goes on", two(rolling, running(false, time.Hour, time.Hour)), Starting, "unready", "0 of 2 pods are ready"},
		{"probe fails", two(rolling, running(true, time.Hour, time.Minute)), Unhealthy, "unready", `0 of 2 pods are ready: container "web" runs, and is not ready`},
		{"rollout takes too long", two(`{"observedGeneration":3,"replicas":2,"updatedReplicas":1,"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"timed out"}]}`),
			Unhealthy, "stalled", "its rollout takes too long: timed out"},
		{"a job that completed", [][2]string{{"jobs", `{"metadata":{"name":"web","uid":"j"},"status":{"succeeded":1,"conditions":[{"type":"Complete","status":"True"}]}}`}}, Healthy, "", ""},
		{"a job that was given up", [][2]string{{"jobs", `{"metadata":{"name":"web","uid":"j"},"status":{"failed":1,"conditions":[{"type":"Failed","status":"True","reason":"BackoffLimitExceeded"}]}}`}},
			Unhealthy, "failed", "it was given up: BackoffLimitExceeded"},
		{"a daemonset", [][2]string{{"daemonsets", `{"metadata":{"name":"web","uid":"ds"},"status":{"desiredNumberScheduled":1,"currentNumberScheduled":1,"updatedNumberScheduled":1,"numberReady":1,"numberAvailable":1}}`},
			pod("web-0", "ds", ready)}, Healthy, "", ""},
		{"a daemonset on no node", [][2]string{{"daemonsets", `{"metadata":{"name":"web","uid":"ds"}}`}}, Pending, Stopped, "no node is to run it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := services(held(t, c.objects...), now)
			if len(all) != 1 {
				t.Fatalf("got %+v", all)
			}
			var got Reason
			if all[0].Reason != nil {
				got = *all[0].Reason
			}
			if all[0].State != c.state || got.Code != c.code || !strings.HasPrefix(got.Message, c.message) {
				t.Errorf("got %s %+v, want %s %s %q", all[0].State, got, c.state, c.code, c.message)
			}
		})
	}
}

// TestServicesAreTheNamespacesWorkloads has a pod that leaves, one of another
// workload, a Job that is called like the Deployment, and one of a CronJob.
func TestServicesAreTheNamespacesWorkloads(t *testing.T) {
	leaving := pod("web-9", "rs2", `{}`)
	leaving[1] = strings.Replace(leaving[1], `"uid":"web-9"`, `"uid":"web-9","deletionTimestamp":"2026-01-02T11:59:00Z"`, 1)
	all := services(held(t, append(deployment(2, rolledOut), pod("web-1", "rs2", ready), pod("web-0", "rs2", ready), leaving, pod("db-0", "db", ready),
		[2]string{"jobs", `{"metadata":{"name":"web","uid":"j"}}`},
		[2]string{"jobs", `{"metadata":{"name":"nightly-1","uid":"n","ownerReferences":[{"uid":"cron","controller":true}]}}`})...), now)
	if len(all) != 2 || all[1].Name != "job/web" {
		t.Fatalf("got %+v", all)
	}
	s := all[0]
	if len(s.Pods) != 2 || s.Pods[0].Name != "web-0" || s.Restarts != 2 || s.Ready != 2 || s.Desired != 2 ||
		s.Image != "web@sha256:1" || s.Build != "b1" || !slices.Equal(s.DependsOn, []string{"db", "cache"}) || !s.Started.Equal(now.Add(-time.Hour)) {
		t.Errorf("got %+v", s)
	}
}
