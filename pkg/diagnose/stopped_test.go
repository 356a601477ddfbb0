package diagnose

import (
	"strings"
	"testing"
	"time"

	"zr/pkg/event"
)

// A workload that somebody stopped is stopped, whatever its manifest asks for, and
// says who and since when; one that was merely scaled is not as it should be.
func TestWhoStoppedIt(t *testing.T) {
	const stopped = `kind: Deployment
metadata: {name: api, namespace: ns, uid: d, generation: 3, annotations: {deployment.kubernetes.io/revision: "2", zr.dev/stopped-by: ada, zr.dev/stopped-at: "2026-01-02T12:00:00Z"}}
spec: {replicas: 0, template: {spec: {containers: [{name: api, image: a}]}}}
status: {observedGeneration: 3}
`
	target := Target{Service: "api", Kind: "Deployment", Namespace: "ns", Replicas: 2}
	f := read(t, deploymentObjects+stopped).Look(target, time.Now())
	if f.State() != event.Stopped || !strings.Contains(f.Rollout.Idle, "ada stopped it at 2026-01-02T12:00:00Z") {
		t.Errorf("got %s, %q", f.State(), f.Rollout.Idle)
	}
	f = read(t, deploymentObjects+strings.ReplaceAll(stopped, "zr.dev/stopped-by", "other")).Look(target, time.Now())
	if f.State() != event.Unhealthy || f.Why == nil || f.Why.Cause != Scaled {
		t.Errorf("without the mark: %s, %+v", f.State(), f.Why)
	}
	f = read(t, deploymentObjects+strings.ReplaceAll(stopped, "replicas: 0", "replicas: 1")).Look(target, time.Now())
	if f.State() == event.Stopped || f.State() == event.Healthy {
		t.Errorf("scaled up by hand: %s", f.State())
	}
}
