package diagnose

import (
	"strings"
	"testing"
	"time"

	"zr/pkg/event"
	"zr/pkg/kube/object"
)

const webService = `kind: Service
metadata: {name: web, namespace: ns}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
`

// sliceOf is an EndpointSlice of the Service web.
func sliceOf(ports, pod, ready string) string {
	return `kind: EndpointSlice
metadata: {name: web-` + pod + `, namespace: ns, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [` + ports + `]
endpoints: [{addresses: [10.0.0.1], conditions: {ready: ` + ready + `}, targetRef: {kind: Pod, uid: ` + pod + `}}]
---
`
}

// labelled is a ready pod of the current template with the labels of the Service.
func labelled(pod string) string {
	return strings.Replace(podOfSet(pod, "rs2", readyStatus), "labels: {", "labels: {app: web, ", 1)
}

// TestAServiceThatLeadsNowhere has everything ready, and nobody who comes by way
// of the Service finds it.
func TestAServiceThatLeadsNowhere(t *testing.T) {
	const http = "{name: http, port: 8080}"
	pods := labelled("api-2-a") + labelled("api-2-b")
	for _, tc := range []struct {
		name, objects string
		why, waiting  string
	}{
		{"it leads to a pod", webService + sliceOf(http, "api-2-a", "true"), "", ""},
		{"one of its slices does", webService + sliceOf(http, "other", "true") + sliceOf(http, "api-2-b", "true"), "", ""},
		{"it is gone", "", `Service "web" is not in namespace "ns"`, `Service "web" has no endpoint that is one of its pods`},
		{"it selects others", strings.Replace(webService, "app: web", "app: webb", 1), `Service "web" selects none of its pods: they lack app=webb`, `port "http" of Service "web" has no endpoint that is one of its pods`},
		{"it selects nothing", strings.Replace(webService, "selector: {app: web}, ", "", 1), `Service "web" has no selector, so that it leads to no pod`, `port "http" of Service "web" has no endpoint that is one of its pods`},
		{"its endpoints are on their way", webService, "", `port "http" of Service "web" has no endpoint that is one of its pods`},
		{"its endpoint is another pod", webService + sliceOf(http, "other", "true"), "", `port "http" of Service "web" has no endpoint that is one of its pods`},
		{"its endpoint is not ready", webService + sliceOf(http, "api-2-a", "false"), "", `port "http" of Service "web" has no endpoint that is one of its pods`},
		{"no container has its port", webService + sliceOf("", "api-2-a", "true"), "", `port "http" of Service "web" has no endpoint that is one of its pods`},
	} {
		const complete = "replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2"
		s := read(t, join(deploymentOf("3", "3", complete), pods, tc.objects))
		target := Target{Service: "api", Kind: "Deployment", Namespace: "ns", Services: []string{"web"}}
		r := s.RolloutOf(target)
		if r.Done != (tc.waiting == "") || r.waiting != tc.waiting {
			t.Errorf("%s: done is %v, waiting %q", tc.name, r.Done, r.waiting)
		}
		why := s.Reason(target, r, time.Now())
		if got := textOf(why); got != tc.why {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.why)
		}
		s.Withheld = map[string]bool{object.Services.Name: true, object.EndpointSlices.Name: true}
		if r := s.RolloutOf(target); !r.Done || s.Reason(target, r, time.Now()) != nil {
			t.Errorf("%s: what may not be read is held against it", tc.name)
		}
	}
}

func textOf(why *Reason) string {
	if why == nil {
		return ""
	}
	return why.Text
}

// TestNothingRunsIsNotHealthy has workloads of which no pod is there.
func TestNothingRunsIsNotHealthy(t *testing.T) {
	deployment := strings.Replace(join(deploymentOf("3", "3", "replicas: 0")), "replicas: 2, template", "replicas: 0, template", 1)
	for _, tc := range []struct {
		name, objects string
		target        Target
		state         event.State
		reason        string
	}{
		{"scaled down by somebody", deployment, Target{Service: "api", Kind: "Deployment", Namespace: "ns"}, event.Unhealthy, `Deployment "api" was scaled to 0, and its manifest asks for 1`},
		{"scaled down in part", join(deploymentOf("3", "3", "replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2")),
			Target{Service: "api", Kind: "Deployment", Namespace: "ns", Replicas: 3}, event.Unhealthy, `Deployment "api" was scaled to 2, and its manifest asks for 3`},
		{"not meant to run", deployment, Target{Service: "api", Kind: "Deployment", Namespace: "ns", Idle: "its manifest asks for 0 replicas"}, event.Stopped, "its manifest asks for 0 replicas"},
		{"on no node", "kind: DaemonSet\nmetadata: {name: agent, namespace: ns}\n", Target{Service: "agent", Kind: "DaemonSet", Namespace: "ns"}, event.Stopped, "no node is to run it"},
		{"suspended", "kind: Job\nmetadata: {name: job, namespace: ns}\nspec: {suspend: true}\n", Target{Service: "job", Kind: "Job", Namespace: "ns"}, event.Stopped, "its manifest suspends it"},
	} {
		s := read(t, tc.objects)
		f := Finding{Rollout: s.RolloutOf(tc.target)}
		f.Why = s.Reason(tc.target, f.Rollout, time.Now())
		if got := f.Wrong(tc.target).Text; f.State() != tc.state || f.State() != event.Stopped && got != tc.reason || f.Stopped() && f.Rollout.Idle != tc.reason {
			t.Errorf("%s: it is %s: %s", tc.name, f.State(), got)
		}
	}
}
