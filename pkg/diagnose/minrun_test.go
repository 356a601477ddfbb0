package diagnose

import (
	"strings"
	"testing"
	"time"

	"zr/pkg/kube/object"
)

// TestALoopIsNotHealthyInBetween asks about a container at moments between its
// ends, at which it is ready.
func TestALoopIsNotHealthyInBetween(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	probe := &object.Probe{}
	target := Target{Service: "api", Kind: "Deployment", Namespace: "ns", Probe: "http", Container: "api"}
	for _, tc := range []struct {
		name     string
		restarts int32
		ran      time.Duration // the run before
		since    time.Duration // how long it runs now
		spec     object.PodSpec
		want     bool
	}{
		{"a sidecar that ends at once", 4, 0, 9 * time.Second, object.PodSpec{Containers: []object.Container{{Name: "api"}, {Name: "x"}}}, false},
		{"a sidecar that is named first", 4, 0, 9 * time.Second, object.PodSpec{Containers: []object.Container{{Name: "x"}, {Name: "api"}}}, false},
		{"a sidecar that lasts for a while", 4, 20 * time.Second, 25 * time.Second, object.PodSpec{Containers: []object.Container{{Name: "api"}, {Name: "x"}}}, false},
		{"a sidecar that lasts longer than before, and ends often", 4, 5 * time.Second, 31 * time.Second, object.PodSpec{Containers: []object.Container{{Name: "api"}, {Name: "x"}}}, false},
		{"a sidecar that lasts longer than before", 4, 20 * time.Second, 41 * time.Second, object.PodSpec{Containers: []object.Container{{Name: "api"}, {Name: "x"}}}, true},
		{"a sidecar among the init containers", 4, 0, 5 * time.Second, object.PodSpec{Containers: []object.Container{{Name: "api"}}, InitContainers: []object.Container{{Name: "x", RestartPolicy: object.RestartAlways}}}, false},
		{"an init container that had to try again", 1, 0, time.Second, object.PodSpec{Containers: []object.Container{{Name: "api"}}, InitContainers: []object.Container{{Name: "x"}}}, true},
		{"one that its probe calls ready, again and again", 3, 20 * time.Second, 25 * time.Second, object.PodSpec{Containers: []object.Container{{Name: "x", ReadinessProbe: probe}}}, false},
		{"one that its probe calls ready, for a bit longer each time", 3, 3 * time.Second, 8 * time.Second, object.PodSpec{Containers: []object.Container{{Name: "x", ReadinessProbe: probe}}}, false},
		{"one that its probe calls ready, after one end", 1, 20 * time.Second, time.Second, object.PodSpec{Containers: []object.Container{{Name: "x", ReadinessProbe: probe}}}, true},
		{"one that zr asks, after one end", 1, 20 * time.Second, time.Second, object.PodSpec{Containers: []object.Container{{Name: "x"}}}, true},
		{"one that ran for hours", 3, 5 * time.Hour, time.Second, object.PodSpec{Containers: []object.Container{{Name: "x", ReadinessProbe: probe}}}, true},
	} {
		asked := target
		if strings.HasPrefix(tc.name, "one that zr asks") {
			asked.Container = "x"
		}
		p := &object.Pod{Spec: tc.spec}
		p.Status.Phase = object.PodRunning
		p.Status.Conditions = []object.Condition{{Type: "Ready", Status: "True"}}
		started := true
		c := object.ContainerStatus{Name: "x", Ready: true, Started: &started, RestartCount: tc.restarts}
		c.State.Running = &object.Running{}
		c.State.Running.StartedAt = now.Add(-tc.since)
		ended := &object.Terminated{ExitCode: 1}
		ended.FinishedAt = now.Add(-tc.since - time.Second)
		ended.StartedAt = ended.FinishedAt.Add(-tc.ran)
		c.LastState.Terminated = ended
		p.Status.ContainerStatuses = []object.ContainerStatus{c}
		if len(tc.spec.InitContainers) > 0 {
			p.Status.ContainerStatuses, p.Status.InitContainerStatuses = nil, p.Status.ContainerStatuses
		}
		r := Rollout{found: true, Done: true, Ready: 1, Desired: 1, Current: []*object.Pod{p}}
		f := Finding{Rollout: r, Asked: true, Answer: Answer{OK: true}}
		f.Why = NewSnapshot().Reason(asked, r, now)
		if got := f.Healthy(); got != tc.want {
			t.Errorf("%s: healthy is %v, since %q", tc.name, got, textOf(f.Why))
		}
	}
}

// TestAYoungContainerIsNotBelieved has one look only.
func TestAYoungContainerIsNotBelieved(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(age time.Duration) Rollout {
		p := &object.Pod{Spec: object.PodSpec{Containers: []object.Container{{Name: "api", ReadinessProbe: &object.Probe{}}, {Name: "beside"}}}}
		for _, c := range p.Spec.Containers {
			s := object.ContainerStatus{Name: c.Name, Ready: true, State: object.ContainerState{Running: &object.Running{}}}
			s.State.Running.StartedAt = now.Add(-age)
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, s)
		}
		return Rollout{Current: []*object.Pod{p}}
	}
	if !Young(Target{}, at(minRunBeside-1), now) {
		t.Error("what began a moment ago is believed")
	}
	if Young(Target{}, at(minRunBeside), now) {
		t.Error("what runs beside a container that is asked is not believed after a second")
	}
}
