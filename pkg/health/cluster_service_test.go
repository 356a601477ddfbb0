package health

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"zr/pkg/diagnose"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/health/testcluster"
	"zr/pkg/probe"
)

// front is a Deployment with a Service, as a project has them.
const front = `apiVersion: v1
kind: Service
metadata: {name: front}
spec: {selector: {app: front}, ports: [{name: http, port: 80, targetPort: 8080}]}`

func frontTarget(c *testcluster.Cluster) Target {
	return Target{Target: diagnose.Target{Service: "front", Kind: "Deployment", Namespace: c.Namespace, Probe: probe.HTTP, Services: []string{"front"}}, Port: 8080, Path: "/health", Timeout: time.Minute}
}

// check returns the status of one target at one look.
func check(t *testing.T, g *Gate, target Target) Status {
	t.Helper()
	statuses, err := g.Check(t.Context(), []Target{target})
	if err != nil {
		t.Fatal(err)
	}
	return statuses[0]
}

// TestClusterReachable takes a healthy service apart from outside, as somebody
// with kubectl does.
func TestClusterReachable(t *testing.T) {
	c := testcluster.New(t)
	c.LoadApp()
	readiness := "        readinessProbe: {httpGet: {port: 8080, path: /health}, periodSeconds: 1}\n"
	c.Apply(front)
	c.Apply(deployment("front", `-listen=:8080`, readiness))
	g, target := newGate(t, c), frontTarget(c)
	if err := g.Wait(t.Context(), []Target{target}, event.Discard); err != nil {
		t.Fatal(err)
	}
	sick := func(what, reason string) {
		t.Helper()
		if s := check(t, g, target); s.State == event.Healthy || !strings.Contains(s.Reason, reason) {
			t.Errorf("%s: it is %s: %s", what, s.State, s.Reason)
		}
		began := time.Now()
		err := g.Wait(t.Context(), []Target{target}, event.Discard)
		if fault.Code(err) != fault.NotHealthy || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", what, err)
		}
		t.Logf("%s (%v): %v\nhint: %s", what, time.Since(began).Round(time.Second), err, fault.HintOf(err))
	}
	well := func(what string) {
		t.Helper()
		if err := g.Wait(t.Context(), []Target{target}, event.Discard); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if s := check(t, g, target); s.State != event.Healthy {
			t.Errorf("%s: it is %s: %s", what, s.State, s.Reason)
		}
	}
	well("as it is")

	c.Apply(strings.Replace(front, "app: front", "app: fornt", 1))
	sick("a Service that selects nothing", `Service "front" selects none of its pods: they lack app=fornt`)
	c.Apply(strings.Replace(front, "targetPort: 8080", "targetPort: nobody", 1))
	target.Timeout = 5 * time.Second
	sick("a port that no container has", `port "http" of Service "front" has no endpoint that is one of its pods`)
	target.Timeout = time.Minute
	c.Do(http.MethodDelete, "/api/v1/namespaces/"+c.Namespace+"/services/front", "")
	sick("a Service that is gone", `Service "front" is not in namespace`)
	c.Apply(front)
	well("with its Service back")

	c.Apply(strings.Replace(deployment("front", `-listen=:8080`, readiness), "spec:\n", "spec:\n  replicas: 0\n", 1))
	sick("scaled to nothing", `Deployment "front" was scaled to 0, and its manifest asks for 1`)
	target.Idle = "its manifest asks for 0 replicas"
	var seen recorder
	if err := g.Wait(t.Context(), []Target{target}, &seen); err != nil {
		t.Errorf("not meant to run: %v", err)
	}
	if got := seen.states("front"); got[len(got)-1] != event.Stopped || slices.Contains(got, event.Healthy) {
		t.Errorf("not meant to run: it went through %v", got)
	}
	if s := check(t, g, target); s.State != event.Stopped || s.Reason != target.Idle {
		t.Errorf("not meant to run: it is %s: %s", s.State, s.Reason)
	}
}

// TestClusterSidecarLoop asks many times about a pod whose second container ends
// over and over, and between two ends counts as ready.
func TestClusterSidecarLoop(t *testing.T) {
	c := testcluster.New(t)
	c.LoadApp()
	readiness := "        readinessProbe: {httpGet: {port: 8080, path: /health}, periodSeconds: 1}\n"
	c.Apply(front)
	c.Apply(deployment("front", `-listen=:8080`, readiness+"      - {name: beside, image: "+testcluster.AppImage+", imagePullPolicy: Never, args: [-say=no config, -after=2s, -exit=3]}\n"))
	g, target := newGate(t, c), frontTarget(c)
	target.Timeout = 3 * time.Minute
	c.Await("its first end", func() bool { return check(t, g, target).Restarts > 0 })
	err := g.Wait(t.Context(), []Target{target}, event.Discard)
	if fault.Code(err) != fault.NotHealthy || !strings.Contains(err.Error(), `container "beside" crashed with exit code 3`) || !strings.Contains(err.Error(), "no config") {
		t.Fatalf("got %v", err)
	}
	asked, ready, before := 0, 0, check(t, g, target).Restarts
	c.Await("another end", func() bool {
		s := check(t, g, target)
		if s.State == event.Healthy || !strings.Contains(s.Reason, `container "beside" crashed with exit code 3`) {
			t.Errorf("asked for the %d. time: it is %s: %s", asked+1, s.State, s.Reason)
		}
		asked, ready = asked+1, ready+int(s.Ready)
		return s.Restarts > before && s.Ready == 0 // when it ended after that restart
	})
	if asked < 6 || ready == 0 {
		t.Errorf("asked %d times, of which it was ready %d times", asked, ready)
	}
}
