package health

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestALoopIsNotHealthyInBetween asks about a container at moments between its
// ends, at which it is ready.
func TestALoopIsNotHealthyInBetween(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	always := corev1.ContainerRestartPolicyAlways
	probe := &corev1.Probe{}
	target := Target{Service: "api", Kind: "Deployment", Namespace: "ns", Probe: ProbeHTTP, Container: "api"}
	for _, tc := range []struct {
		name     string
		restarts int32
		ran      time.Duration // the run before
		since    time.Duration // how long it runs now
		spec     corev1.PodSpec
		want     bool
	}{
		{"a sidecar that ends at once", 4, 0, 9 * time.Second, corev1.PodSpec{Containers: []corev1.Container{{Name: "api"}, {Name: "x"}}}, false},
		{"a sidecar that is named first", 4, 0, 9 * time.Second, corev1.PodSpec{Containers: []corev1.Container{{Name: "x"}, {Name: "api"}}}, false},
		{"a sidecar that lasts for a while", 4, 20 * time.Second, 25 * time.Second, corev1.PodSpec{Containers: []corev1.Container{{Name: "api"}, {Name: "x"}}}, false},
		{"a sidecar that lasts longer than before, and ends often", 4, 5 * time.Second, 31 * time.Second, corev1.PodSpec{Containers: []corev1.Container{{Name: "api"}, {Name: "x"}}}, false},
		{"a sidecar that lasts longer than before", 4, 20 * time.Second, 41 * time.Second, corev1.PodSpec{Containers: []corev1.Container{{Name: "api"}, {Name: "x"}}}, true},
		{"a sidecar among the init containers", 4, 0, 5 * time.Second, corev1.PodSpec{Containers: []corev1.Container{{Name: "api"}}, InitContainers: []corev1.Container{{Name: "x", RestartPolicy: &always}}}, false},
		{"an init container that had to try again", 1, 0, time.Second, corev1.PodSpec{Containers: []corev1.Container{{Name: "api"}}, InitContainers: []corev1.Container{{Name: "x"}}}, true},
		{"one that its probe calls ready, again and again", 3, 20 * time.Second, 25 * time.Second, corev1.PodSpec{Containers: []corev1.Container{{Name: "x", ReadinessProbe: probe}}}, false},
		{"one that its probe calls ready, for a bit longer each time", 3, 3 * time.Second, 8 * time.Second, corev1.PodSpec{Containers: []corev1.Container{{Name: "x", ReadinessProbe: probe}}}, false},
		{"one that its probe calls ready, after one end", 1, 20 * time.Second, time.Second, corev1.PodSpec{Containers: []corev1.Container{{Name: "x", ReadinessProbe: probe}}}, true},
		{"one that zr asks, after one end", 1, 20 * time.Second, time.Second, corev1.PodSpec{Containers: []corev1.Container{{Name: "x"}}}, true},
		{"one that ran for hours", 3, 5 * time.Hour, time.Second, corev1.PodSpec{Containers: []corev1.Container{{Name: "x", ReadinessProbe: probe}}}, true},
	} {
		asked := target
		if strings.HasPrefix(tc.name, "one that zr asks") {
			asked.Container = "x"
		}
		p := &corev1.Pod{Spec: tc.spec}
		p.Status.Phase = corev1.PodRunning
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		started := true
		c := corev1.ContainerStatus{Name: "x", Ready: true, Started: &started, RestartCount: tc.restarts}
		c.State.Running = &corev1.ContainerStateRunning{}
		c.State.Running.StartedAt.Time = now.Add(-tc.since)
		ended := &corev1.ContainerStateTerminated{ExitCode: 1}
		ended.FinishedAt.Time = now.Add(-tc.since - time.Second)
		ended.StartedAt.Time = ended.FinishedAt.Add(-tc.ran)
		c.LastTerminationState.Terminated = ended
		p.Status.ContainerStatuses = []corev1.ContainerStatus{c}
		if len(tc.spec.InitContainers) > 0 {
			p.Status.ContainerStatuses, p.Status.InitContainerStatuses = nil, p.Status.ContainerStatuses
		}
		r := rollout{found: true, done: true, ready: 1, desired: 1, current: []*corev1.Pod{p}}
		f := finding{rollout: r, asked: true, answer: answer{ok: true}}
		f.why = newSnapshot().diagnose(asked, r, now)
		if got := f.healthy(); got != tc.want {
			t.Errorf("%s: healthy is %v, since %q", tc.name, got, textOf(f.why))
		}
	}
}

// TestAYoungContainerIsNotBelieved has one look only.
func TestAYoungContainerIsNotBelieved(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(age time.Duration) rollout {
		p := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "api", ReadinessProbe: &corev1.Probe{}}, {Name: "beside"}}}}
		for _, c := range p.Spec.Containers {
			s := corev1.ContainerStatus{Name: c.Name, Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
			s.State.Running.StartedAt.Time = now.Add(-age)
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, s)
		}
		return rollout{current: []*corev1.Pod{p}}
	}
	if !young(Target{}, at(steadyBeside-1), now) {
		t.Error("what began a moment ago is believed")
	}
	if young(Target{}, at(steadyBeside), now) {
		t.Error("what runs beside a container that is asked is not believed after a second")
	}
}
