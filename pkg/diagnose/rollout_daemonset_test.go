package diagnose

import "testing"

func TestDaemonSetRollout(t *testing.T) {
	set := func(spec, status string) string {
		return `kind: DaemonSet
metadata: {name: agent, namespace: ns, uid: ds, generation: 4, annotations: {deprecated.daemonset.template.generation: "3"}}
spec: {` + spec + `template: {spec: {containers: [{name: agent, image: a}]}}}
status: {` + status + `}
---
`
	}
	pod := func(name, generation, status string) string {
		return `kind: Pod
metadata: {name: ` + name + `, namespace: ns, uid: ` + name + `, labels: {pod-template-generation: "` + generation + `"}, ownerReferences: [{uid: ds, controller: true, apiVersion: apps/v1, kind: DaemonSet, name: agent}]}
spec: {nodeName: ` + name + `, containers: [{name: agent}]}
status: {` + status + `}
---
`
	}
	const complete = "observedGeneration: 4, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberReady: 2, numberAvailable: 2"
	for _, tc := range []struct {
		name, objects string
		done          bool
		ready         int32
		waiting       string
		current       int
	}{
		{"complete", join(set("", complete), pod("a", "3", readyStatus), pod("b", "3", readyStatus)), true, 2, "", 2},
		{"rolled back", join(set("", complete), pod("a", "1", readyStatus), pod("b", "1", readyStatus)), true, 2, "", 2},
		{"for no node", join(set("", "observedGeneration: 4")), true, 0, "", 0},
		{"the change is not seen yet", join(set("", "observedGeneration: 3, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberReady: 2, numberAvailable: 2"), pod("a", "3", readyStatus)),
			false, 0, "the daemonset controller has not seen the change yet", 0},
		{"pods are made", join(set("", "observedGeneration: 4, desiredNumberScheduled: 2, currentNumberScheduled: 1, updatedNumberScheduled: 1, numberReady: 1, numberAvailable: 1"), pod("a", "3", readyStatus)),
			false, 1, "1 of 2 nodes have a pod", 1},
		{"one is of the version before", join(set("", "observedGeneration: 4, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 1, numberReady: 2, numberAvailable: 2"), pod("a", "3", readyStatus), pod("b", "2", readyStatus)),
			false, 1, "1 of 2 pods are of the new version", 1},
		{"changed when somebody deletes its pods", join(set("updateStrategy: {type: OnDelete}, ", "observedGeneration: 4, desiredNumberScheduled: 1, currentNumberScheduled: 1, numberReady: 1, numberAvailable: 1"), pod("a", "2", readyStatus)),
			true, 1, "", 0},
		{"not ready", join(set("", "observedGeneration: 4, desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 1"), pod("a", "3", unreadyStatus)),
			false, 0, "0 of 1 pods are ready", 1},
	} {
		got := read(t, tc.objects).RolloutOf(Target{Service: "agent", Kind: "DaemonSet", Namespace: "ns"})
		if !got.found || got.Done != tc.done || got.Ready != tc.ready || got.waiting != tc.waiting || len(got.Current) != tc.current {
			t.Errorf("%s: got %+v", tc.name, got)
		}
	}
}
