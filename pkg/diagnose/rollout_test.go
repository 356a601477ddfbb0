package diagnose

import (
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"zr/pkg/kube/object"
)

// read makes a snapshot of objects written as YAML documents.
func read(t *testing.T, documents string) *Snapshot {
	t.Helper()
	s := NewSnapshot()
	for doc := range strings.SplitSeq(documents, "---\n") {
		var kind struct{ Kind string }
		if err := yaml.Unmarshal([]byte(doc), &kind); err != nil {
			t.Fatalf("%v in:\n%s", err, doc)
		}
		o := map[string]object.Object{"Deployment": &object.Workload{}, "StatefulSet": &object.Workload{}, "ReplicaSet": &object.Workload{},
			"DaemonSet": &object.Workload{}, "Job": &object.Workload{}, "Service": &object.Service{}, "EndpointSlice": &object.EndpointSlice{},
			"Pod": &object.Pod{}, "Event": &object.Event{}}[kind.Kind]
		if o == nil {
			t.Fatalf("no kind in:\n%s", doc)
		}
		if err := yaml.Unmarshal([]byte(doc), o); err != nil {
			t.Fatalf("%v in:\n%s", err, doc)
		}
		s.Add(o)
	}
	return s
}

// Two ReplicaSets of a Deployment, of which the second is the current one.
const deploymentObjects = `
kind: ReplicaSet
metadata: {name: api-1, namespace: ns, uid: rs1, annotations: {deployment.kubernetes.io/revision: "1"}, ownerReferences: [{uid: d, controller: true, apiVersion: apps/v1, kind: Deployment, name: api}]}
---
kind: ReplicaSet
metadata: {name: api-2, namespace: ns, uid: rs2, annotations: {deployment.kubernetes.io/revision: "2"}, ownerReferences: [{uid: d, controller: true, apiVersion: apps/v1, kind: Deployment, name: api}]}
---
`

func deploymentOf(generation, observed, status string) string {
	return `kind: Deployment
metadata: {name: api, namespace: ns, uid: d, generation: ` + generation + `, annotations: {deployment.kubernetes.io/revision: "2"}}
spec: {replicas: 2, template: {spec: {containers: [{name: helper, image: h}, {name: api, image: a}]}}}
status: {observedGeneration: ` + observed + `, ` + status + `}
---
` + deploymentObjects
}

// podOfSet is a pod of a ReplicaSet or StatefulSet, with its status.
func podOfSet(name, owner, status string) string {
	return `kind: Pod
metadata: {name: ` + name + `, namespace: ns, uid: ` + name + `, labels: {controller-revision-hash: ` + owner + `}, ownerReferences: [{uid: ` + strings.TrimSuffix(owner, "-new") + `, controller: true, apiVersion: apps/v1, kind: x, name: x}]}
spec: {nodeName: node, containers: [{name: api, resources: {limits: {memory: 64Mi}}}]}
status: {` + status + `}
---
`
}

const readyStatus = `phase: Running, podIP: 10.0.0.1, conditions: [{type: Ready, status: "True", lastTransitionTime: "2026-01-02T03:04:05Z"}], containerStatuses: [{name: api, ready: true, restartCount: 1, image: "", imageID: "", state: {running: {}}}]`
const unreadyStatus = `phase: Running, podIP: 10.0.0.1, conditions: [{type: Ready, status: "False"}], containerStatuses: [{name: api, ready: false, restartCount: 0, image: "", imageID: "", state: {running: {}}}]`

func join(docs ...string) string { return strings.TrimSuffix(strings.Join(docs, ""), "---\n") }

func TestDeploymentRollout(t *testing.T) {
	const complete = "replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2"
	ready := podOfSet("api-2-a", "rs2", readyStatus) + podOfSet("api-2-b", "rs2", readyStatus)
	for _, tc := range []struct {
		name, objects string
		done          bool
		ready         int32
		waiting       string
	}{
		{"complete", join(deploymentOf("3", "3", complete), ready), true, 2, ""},
		{"the change is not seen yet", join(deploymentOf("4", "3", complete), ready), false, 0, "the deployment controller has not seen the change yet"},
		{"only the version before is ready", join(deploymentOf("3", "3", "replicas: 3, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2"),
			podOfSet("api-1-a", "rs1", readyStatus), podOfSet("api-1-b", "rs1", readyStatus), podOfSet("api-2-a", "rs2", unreadyStatus)), false, 0, "0 of 2 pods are ready"},
		{"pods are made", join(deploymentOf("3", "3", "replicas: 3, updatedReplicas: 1"), podOfSet("api-2-a", "rs2", readyStatus)), false, 1, "1 of 2 pods are made"},
		{"the version before goes", join(deploymentOf("3", "3", "replicas: 3, updatedReplicas: 2, readyReplicas: 3, availableReplicas: 3"), ready), false, 2, "pods of the version before are still there: 1"},
	} {
		got := read(t, tc.objects).RolloutOf(Target{Service: "api", Kind: "Deployment", Namespace: "ns"})
		if !got.found || got.Done != tc.done || got.Ready != tc.ready || got.waiting != tc.waiting || got.Desired != 2 || got.Image != "a" {
			t.Errorf("%s: got %+v", tc.name, got)
		}
	}
	if got := NewSnapshot().RolloutOf(Target{Service: "api", Kind: "Deployment", Namespace: "ns"}); got.found {
		t.Error("found what is not there")
	}
}

func statefulSetOf(spec, status string) string {
	return `kind: StatefulSet
metadata: {name: db, namespace: ns, uid: s, generation: 2}
spec: {replicas: 1, ` + spec + `template: {spec: {containers: [{name: db, image: p}]}}}
status: {observedGeneration: 2, ` + status + `}
---
`
}

func TestStatefulSetRollout(t *testing.T) {
	const complete = "replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, currentRevision: s-new, updateRevision: s-new"
	for _, tc := range []struct {
		name, objects string
		done          bool
		waiting       string
	}{
		{"complete", join(statefulSetOf("", complete), podOfSet("db-0", "s-new", readyStatus)), true, ""},
		{"not made", join(statefulSetOf("", "replicas: 0, updateRevision: s-new")), false, "0 of 1 pods are made"},
		{"of the version before", join(statefulSetOf("", "replicas: 1, readyReplicas: 1, availableReplicas: 1, updateRevision: s-new"), podOfSet("db-0", "s", readyStatus)), false, "0 of 1 pods are of the new version"},
		{"not ready", join(statefulSetOf("", "replicas: 1, updatedReplicas: 1, updateRevision: s-new"), podOfSet("db-0", "s-new", unreadyStatus)), false, "0 of 1 pods are ready"},
		{"changed when somebody deletes its pods", join(statefulSetOf("updateStrategy: {type: OnDelete}, ", "replicas: 1, readyReplicas: 1, availableReplicas: 1, updateRevision: s-new"), podOfSet("db-0", "s", readyStatus)), true, ""},
		{"held back by its partition", join(statefulSetOf("updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 1}}, ", "replicas: 1, readyReplicas: 1, availableReplicas: 1, updateRevision: s-new"), podOfSet("db-0", "s", readyStatus)), true, ""},
	} {
		got := read(t, tc.objects).RolloutOf(Target{Service: "db", Kind: "StatefulSet", Namespace: "ns"})
		if got.Done != tc.done || got.waiting != tc.waiting || got.Image != "p" {
			t.Errorf("%s: got %+v", tc.name, got)
		}
	}
}

func TestProbedPod(t *testing.T) {
	s := read(t, join(deploymentOf("3", "3", "replicas: 2"), podOfSet("api-1-a", "rs1", readyStatus), podOfSet("api-2-a", "rs2", unreadyStatus), podOfSet("api-2-b", "rs2", readyStatus)))
	r := s.RolloutOf(Target{Service: "api", Kind: "Deployment", Namespace: "ns"})
	if got, ok := r.Probed(); !ok || got.Name != "api-2-b" || got.Status.PodIP != "10.0.0.1" {
		t.Errorf("got %+v", got)
	}
	if got, want := r.Restarts(), int32(1); got != want {
		t.Errorf("%d restarts, want %d", got, want)
	}
	s.pods["rs2"] = s.pods["rs2"][:1]
	if got, _ := s.RolloutOf(Target{Service: "api", Kind: "Deployment", Namespace: "ns"}).Probed(); got.Name != "api-2-a" {
		t.Errorf("got %+v", got)
	}
}

// TestMinRuns: a container without a probe is ready after it has run for a while.
func TestMinRuns(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	pod := func(restarts int32, probe *object.Probe, started time.Time) Rollout {
		p := &object.Pod{}
		p.Spec.Containers = []object.Container{{Name: "api", ReadinessProbe: probe}}
		c := object.ContainerStatus{Name: "api", RestartCount: restarts, State: object.ContainerState{Running: &object.Running{}}}
		c.State.Running.StartedAt = started
		p.Status.ContainerStatuses = []object.ContainerStatus{c}
		return Rollout{Current: []*object.Pod{p}}
	}
	s := MinRuns{}
	for _, tc := range []struct {
		name  string
		r     Rollout
		after time.Duration
		want  bool
	}{
		{"just started", pod(0, nil, now), 0, false},
		{"ran on", pod(0, nil, now), minRun, true},
		{"restarted", pod(1, nil, now), minRun, false},
		{"ran on after the restart", pod(1, nil, now), minRun + minRunRestarted + 2*(minRun-startLag), true}, // first seen after minRun
		{"has a probe", pod(2, &object.Probe{}, now), 0, true},
		{"runs since long ago", pod(7, nil, now.Add(-time.Hour)), 0, true},
	} {
		if got := s.Reached(Target{}, tc.r, now.Add(tc.after)); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	// A node that told of the start after 4 s may tell of the end as late.
	late, told := MinRuns{}, pod(0, nil, now.Add(-2*startLag))
	for _, step := range []struct {
		after time.Duration
		want  bool
	}{{0, false}, {minRun, false}, {minRun + 2*startLag, true}} {
		if got := late.Reached(Target{}, told, now.Add(step.after)); got != step.want {
			t.Errorf("told of late, after %s: %v", step.after, got)
		}
	}
}
