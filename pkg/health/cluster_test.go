package health

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/testkit"
	"zr/pkg/diagnose"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/health/testcluster"
	kubeclient "zr/pkg/kube"
	"zr/pkg/probe"
)

// deployment writes a Deployment of the test's app. More is further YAML of
// the container.
func deployment(name, args, more string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: %[1]s
        image: %[3]s
        imagePullPolicy: Never
        args: [%[2]s]
%[4]s`, name, args, testcluster.AppImage, more)
}

// recorder keeps the events of a wait.
type recorder struct{ testkit.Recorder }

// states returns the states that a service went through.
func (r *recorder) states(service string) []event.State {
	var states []event.State
	for _, e := range r.Events() {
		if s, ok := e.(event.ServiceState); ok && s.Service == service {
			states = append(states, s.State)
		}
	}
	return slices.Compact(states)
}

func newGate(t *testing.T, c *testcluster.Cluster) *Gate {
	g := New(c.Client, nil)
	t.Cleanup(g.Close)
	return g
}

// TestClusterHealthy gates two services in order, over a rollout.
func TestClusterHealthy(t *testing.T) {
	c := testcluster.New(t)
	c.LoadApp()
	readiness := "        readinessProbe: {httpGet: {port: 8080, path: /health}, periodSeconds: 1}\n"
	c.Apply(deployment("front", `-listen=:8080, -build=one`, readiness))
	c.Apply(deployment("back", `-raw=:9000, -ready-after=1s, -listen=:8080`, readiness))
	g := newGate(t, c)
	targets := []Target{
		{Target: diagnose.Target{Service: "front", Kind: "Deployment", Namespace: c.Namespace, Probe: probe.HTTP}, Port: 8080, Path: "/health", DependsOn: []string{"back"}},
		{Target: diagnose.Target{Service: "back", Kind: "Deployment", Namespace: c.Namespace, Probe: probe.TCP}, Port: 9000},
	}
	var seen recorder
	if err := g.Wait(t.Context(), targets, &seen); err != nil {
		t.Fatal(err)
	}
	if got := seen.states("front"); !slices.Equal(got, []event.State{event.Pending, event.Healthy}) && !slices.Equal(got, []event.State{event.Pending, event.Starting, event.Healthy}) {
		t.Errorf("front went through %v", got)
	}

	// A new template counts only when it runs, however well the old one answers.
	c.Apply(deployment("front", `-listen=:8080, -build=two`, readiness))
	if err := g.Wait(t.Context(), targets, event.Discard); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	statuses, err := g.Check(t.Context(), targets)
	t.Logf("a check of healthy services took %v", time.Since(began))
	if err != nil {
		t.Fatal(err)
	}
	if s := statuses[0]; s.State != event.Healthy || s.Build != "two" || s.Answer != "200 OK" || s.Ready != 1 || s.Image != testcluster.AppImage {
		t.Errorf("front is %+v", s)
	}
	if s := statuses[1]; s.State != event.Healthy || s.Answer != "accepts connections" {
		t.Errorf("back is %+v", s)
	}
}

// TestClusterReasons breaks services in every way that a reason exists for.
func TestClusterReasons(t *testing.T) {
	c := testcluster.New(t)
	c.LoadApp()
	c.Apply(`apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {requests.example.test/unit: "2"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: script}
data: {run: echo hello}`)
	const slow = 45 * time.Second // until a node that makes fifteen pods at once has got to each
	cases := []struct {
		name, manifest string
		probe          string
		timeout        time.Duration
		reason, proof  string
		hint           string
		early          bool
	}{
		{name: "crash", manifest: deployment("crash", `-panic`, ""), timeout: 4 * time.Minute,
			reason: `container "crash" crashed with exit code 2, `, proof: "panic: the test told me to", early: true},
		{name: "oom", manifest: deployment("oom", `-eat=200`, "        resources: {limits: {memory: 32Mi}}\n"), timeout: 4 * time.Minute,
			reason: "was killed", hint: "limits.memory", early: true}, // containerd does not always see who killed it
		{name: "ends", manifest: deployment("ends", `-exit=0`, ""), timeout: 4 * time.Minute, reason: "ended with exit code 0", early: true},
		{name: "never", manifest: strings.Replace(deployment("never", "", ""), testcluster.AppImage, "localhost/zrtest/none:1", 1), timeout: 2 * time.Minute,
			reason: `image "localhost/zrtest/none:1" is not on node`, early: true},
		{name: "badname", manifest: strings.Replace(deployment("badname", "", ""), testcluster.AppImage, "UPPER", 1), timeout: 2 * time.Minute,
			reason: `the name of image "UPPER" is not valid`, early: true},
		{name: "pull", manifest: strings.Replace(strings.Replace(deployment("pull", "", ""), testcluster.AppImage, "localhost:1/none:1", 1), "Never", "Always", 1), timeout: slow,
			reason: `image "localhost:1/none:1" cannot be pulled: `},
		{name: "config", manifest: deployment("config", "", "        envFrom: [{secretRef: {name: nowhere}}]\n"), timeout: slow,
			reason: `container "config": secret "nowhere" not found`},
		{name: "mount", manifest: deployment("mount", "", "        volumeMounts: [{name: v, mountPath: /v}]\n      volumes: [{name: v, configMap: {name: nowhere}}]\n"), timeout: slow,
			reason: `configmap "nowhere" not found`},
		{name: "command", manifest: deployment("command", "", "        command: [/nope]\n"), timeout: 4 * time.Minute,
			reason: `container "command" cannot be started: exec: "/nope"`, early: true},
		{name: "format", manifest: deployment("format", "", "        command: [/v/run]\n        volumeMounts: [{name: v, mountPath: /v}]\n      volumes: [{name: v, configMap: {name: script, defaultMode: 0755}}]\n"), timeout: 4 * time.Minute,
			reason: `container "format"`, proof: "exec format error", hint: "for another processor than the node's", early: true},
		{name: "root", manifest: deployment("root", "", "        securityContext: {runAsNonRoot: true, runAsUser: 0}\n"), timeout: 2 * time.Minute,
			reason: "breaks non-root policy", hint: "correct one of them", early: true},
		{name: "big", manifest: deployment("big", "", "        resources: {requests: {memory: 9000Gi}}\n"), timeout: slow,
			reason: "Insufficient memory"},
		{name: "quota", manifest: deployment("quota", "", "        resources: {limits: {example.test/unit: \"3\"}}\n"), timeout: 2 * time.Minute,
			reason: "quota: exceeded quota: quota", early: true},
		{name: "claim", manifest: deployment("claim", "", "        volumeMounts: [{name: v, mountPath: /v}]\n      volumes: [{name: v, persistentVolumeClaim: {claimName: nowhere}}]\n"), timeout: slow,
			reason: `persistentvolumeclaim "nowhere" not found`},
		{name: "sick", manifest: deployment("sick", `-listen=:8080, -status=503`, "        readinessProbe: {httpGet: {port: 8080, path: /health}, periodSeconds: 1}\n"), probe: probe.HTTP, timeout: slow,
			reason: `503 Service Unavailable: {"build":"","state":"as told"}`},
		{name: "silent", manifest: deployment("silent", "", ""), probe: probe.HTTP, timeout: slow, reason: "its http probe is not answered: port 8080: connection refused"},
		{name: "init", manifest: deployment("init", "", "      initContainers: [{name: prepare, image: "+testcluster.AppImage+", imagePullPolicy: Never, args: [-say=cannot prepare, -exit=3]}]\n"), timeout: 4 * time.Minute,
			reason: `init container "prepare" crashed with exit code 3`, proof: "cannot prepare", early: true},
		{name: "missing", timeout: 2 * time.Minute, reason: `Deployment "missing" is not in namespace`, early: true},
	}
	g := newGate(t, c)
	var wg sync.WaitGroup
	for _, tc := range cases {
		if tc.manifest != "" {
			c.Apply(tc.manifest)
		}
		wg.Go(func() {
			var seen recorder
			target := Target{Target: diagnose.Target{Service: tc.name, Kind: "Deployment", Namespace: c.Namespace, Probe: tc.probe}, Port: 8080, Path: "/health", Timeout: tc.timeout}
			began := time.Now()
			err := g.Wait(t.Context(), []Target{target}, &seen)
			took := time.Since(began).Round(100 * time.Millisecond)
			if err == nil || fault.Code(err) != fault.NotHealthy || !strings.Contains(err.Error(), tc.reason) || !strings.Contains(err.Error(), tc.proof) || !strings.Contains(fault.HintOf(err), tc.hint) {
				t.Errorf("%s (%v): %v\nwant %q with %q", tc.name, took, err, tc.reason, tc.proof)
				return
			}
			if early := !strings.Contains(err.Error(), " within "); early != tc.early {
				t.Errorf("%s: told before the deadline: %v, want %v", tc.name, early, tc.early)
			}
			t.Logf("%s (%v): %v\nhint: %s", tc.name, took, err, fault.HintOf(err))
		})
	}
	wg.Wait()
	statuses, err := g.Check(t.Context(), []Target{{Target: diagnose.Target{Service: "crash", Kind: "Deployment", Namespace: c.Namespace}}, {Target: diagnose.Target{Service: "mount", Kind: "Deployment", Namespace: c.Namespace}}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"crashed with exit code 2", `configmap "nowhere" not found`} {
		if s := statuses[i]; s.State != event.Unhealthy || !strings.Contains(s.Reason, want) {
			t.Errorf("%s is %s: %s", s.Service, s.State, s.Reason)
		}
	}
}

// TestClusterPodSecurity runs what the namespace forbids.
func TestClusterPodSecurity(t *testing.T) {
	c := testcluster.New(t)
	c.Do("PATCH", "/api/v1/namespaces/"+c.Namespace+"?fieldManager=zrtest", `apiVersion: v1
kind: Namespace
metadata: {name: `+c.Namespace+`, labels: {pod-security.kubernetes.io/enforce: restricted}}`)
	c.Apply(deployment("careless", "", ""))
	c.Apply(strings.Replace(strings.Replace(deployment("stateful", "", ""), "kind: Deployment", "kind: StatefulSet", 1), "spec:\n", "spec:\n  serviceName: stateful\n", 1))
	err := newGate(t, c).Wait(t.Context(), []Target{
		{Target: diagnose.Target{Service: "careless", Kind: "Deployment", Namespace: c.Namespace}},
		{Target: diagnose.Target{Service: "stateful", Kind: "StatefulSet", Namespace: c.Namespace}},
	}, event.Discard)
	for _, service := range []string{"careless", "stateful"} {
		want := fmt.Sprintf(`service %q is not healthy: Pod Security forbids its pods: violates PodSecurity "restricted:latest"`, service)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestClusterCancelled leaves a wait, and one by a user without rights.
func TestClusterCancelled(t *testing.T) {
	c := testcluster.New(t)
	c.LoadApp()
	c.Apply(deployment("sick", `-listen=:8080, -status=503`, "        readinessProbe: {httpGet: {port: 8080, path: /health}}\n"))
	targets := []Target{{Target: diagnose.Target{Service: "sick", Kind: "Deployment", Namespace: c.Namespace, Probe: probe.HTTP}, Port: 8080, Path: "/health"}}
	ctx, cancel := context.WithCancel(t.Context())
	err := newGate(t, c).Wait(ctx, targets, event.SinkFunc(func(e event.Event) {
		if s, ok := e.(event.ServiceState); ok && strings.Contains(s.Reason, "503") {
			cancel()
		}
	}))
	if fault.Code(err) != fault.Interrupted {
		t.Errorf("got %v", err)
	}
	g := New(c.With(func(cfg *kubeclient.Config) { cfg.Impersonate.UserName = "nobody" }), nil)
	defer g.Close()
	if err := g.Wait(t.Context(), targets, event.Discard); err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("got %v", err)
	}
	if _, err := g.Check(t.Context(), targets); err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("got %v", err)
	}
}

// TestClusterOrder fails a service and looks at what depends on it.
func TestClusterOrder(t *testing.T) {
	c := testcluster.New(t)
	g := newGate(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var seen recorder
	err := g.Wait(ctx, []Target{
		{Target: diagnose.Target{Service: "a", Kind: "Deployment", Namespace: c.Namespace}, Timeout: time.Second},
		{Target: diagnose.Target{Service: "b", Kind: "Deployment", Namespace: c.Namespace}, DependsOn: []string{"a"}},
		{Target: diagnose.Target{Service: "c", Kind: "Deployment", Namespace: c.Namespace}, DependsOn: []string{"b"}},
	}, &seen)
	if fault.Code(err) != fault.NotHealthy || !strings.Contains(err.Error(), `service "b" waits for a`) || !strings.Contains(err.Error(), `service "c" waits for b`) {
		t.Errorf("got %v", err)
	}
	if got := seen.states("c"); !slices.Equal(got, []event.State{event.Pending}) {
		t.Errorf("c went through %v", got)
	}
}
