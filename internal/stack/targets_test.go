package stack

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/cmdline"
	"zr/pkg/config"
	"zr/pkg/deploy/render"
	"zr/pkg/diagnose"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/health"
	"zr/pkg/probe"
)

// jobs is what a stack has beside the services of its overlay.
const jobs = testkit.Overlay + `---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: tiny}
spec:
  ttlSecondsAfterFinished: 60
  template: {spec: {restartPolicy: Never, containers: [{name: migrate, image: web, readinessProbe: {httpGet: {port: 80}}}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: web, namespace: tiny}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: seed, image: "example/seed:1"}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: tiny}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "example/agent:1", readinessProbe: {timeoutSeconds: 5, httpGet: {port: 9, path: /up, httpHeaders: [{name: host, value: a.test}]}}}]}
`

// stackOf opens the environment dev of a project with these files.
func stackOf(t *testing.T, files map[string]string) *Stack {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	root := t.TempDir()
	for path, text := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := config.Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(cfg, event.Discard, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestJobsAndDaemonSetsAreGated(t *testing.T) {
	files := testkit.Project("project: tiny\nservices:\n  web: {probe: http, timeout: 10s, dependsOn: [migrate]}\n  migrate: {}\n")
	files["kustomize/overlays/dev/all.yaml"] = jobs
	s := stackOf(t, files)
	p, err := s.render(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := p.targets(cmdline.Run{})
	for i := range got {
		got[i].Credentials = nil
	}
	want := []health.Target{
		{Target: diagnose.Target{Service: "agent", Name: "agent", Kind: "DaemonSet", Namespace: "tiny", Replicas: 1, Container: "agent", Probe: probe.HTTP}, Port: 9, Path: "/up", Headers: http.Header{"Host": {"a.test"}}, ProbeTimeout: 5 * time.Second},
		{Target: diagnose.Target{Service: "migrate", Name: "migrate", Kind: "Job", Namespace: "tiny", Vanishes: true, Container: "migrate", Probe: probe.Rollout}, Port: 80, Path: "/", ProbeTimeout: time.Second},
		{Target: diagnose.Target{Service: "web", Name: "web", Kind: "Deployment", Namespace: "tiny", Replicas: 1, Services: []string{"api", "web"}, Container: "web", Probe: probe.HTTP}, DependsOn: []string{"migrate"}, Timeout: 10 * time.Second},
		{Target: diagnose.Target{Service: "job/web", Name: "web", Kind: "Job", Namespace: "tiny", Container: "seed", Probe: probe.Rollout}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
}

// TestAHostThatOnlyTheKubeletReaches leaves the question to the kubelet.
func TestAHostThatOnlyTheKubeletReaches(t *testing.T) {
	for _, probe := range []string{"httpGet: {host: 192.0.2.1, port: 80}", "tcpSocket: {host: 192.0.2.1, port: 80}"} {
		files := testkit.Project("project: tiny\nservices: {web: {}}\n")
		files["kustomize/overlays/dev/all.yaml"] = strings.Replace(testkit.Overlay, `image: "example/web:1"`, `image: "example/web:1", readinessProbe: {`+probe+`}`, 1)
		s := stackOf(t, files)
		p, err := s.render(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := p.targets(cmdline.Run{})[0].Probe; got != "" {
			t.Errorf("%s: zr asks by %s", probe, got)
		}
	}
}

// TestJobsUnderDev has one with an image of its own.
func TestJobsUnderDev(t *testing.T) {
	builds := []build.Request{{Service: "web", Mode: build.Dev, Agent: "a"}, {Service: "seed", Mode: build.Dev, Agent: "a"}}
	releaseRest(builds, []render.Workload{{Kind: "Job", Name: "seed"}, {Kind: "Deployment", Name: "web"}, {Kind: "Job", Name: "web"}})
	if r := builds[1]; r.Mode != build.Release || r.Agent != "" {
		t.Errorf("the Job runs %+v", r)
	}
	if r := builds[0]; r.Mode != build.Dev {
		t.Errorf("the service runs %+v", r)
	}
}

// TestWhatIsStoppedIsNotReloaded has a service that its manifest keeps from
// running: under zr dev, too.
func TestWhatIsStoppedIsNotReloaded(t *testing.T) {
	p := &project{Stack: &Stack{dev: &devMode{}}, builds: []build.Request{{Service: "web", Mode: build.Dev}}}
	workloads := []render.Workload{{Kind: "Deployment", Name: "web", Idle: "its manifest asks for 0 replicas", Containers: []render.Container{{}}}}
	releaseRest(p.builds, workloads)
	if got, err := p.devServices(workloads); err != nil || len(got) > 0 || p.builds[0].Mode != build.Release {
		t.Errorf("it runs a dev image: %v, %+v", got, p.builds[0])
	}
	if err := unhealthy(cmdline.Run{}, []health.Status{{Service: "web", State: event.Stopped, Reason: "its manifest asks for 0 replicas"}}); err != nil {
		t.Errorf("zr status fails: %v", err)
	}
}

func TestTheHintOfAStatusCanBeTyped(t *testing.T) {
	err := unhealthy(cmdline.Run{}, []health.Status{{Service: "db", State: event.Healthy}, {Service: "web", State: event.Unhealthy}, {Service: "job/web", State: event.Unhealthy}})
	if err == nil || err.Error() != "not healthy: web, job/web" || fault.HintOf(err) != "`zr logs web` shows what they say" {
		t.Errorf("got %v, %q", err, fault.HintOf(err))
	}
}

// TestACommandOfTheManifest stands in for the image's own, which then need not be
// one that is there.
func TestACommandOfTheManifest(t *testing.T) {
	builds := []build.Request{{Service: "web"}, {Service: "api"}}
	ownCommands(builds, []render.Workload{
		{Name: "web", Containers: []render.Container{{Name: "log", Manifest: "fluent", Command: []string{"x"}}, {Name: "web", Manifest: "web"}}},
		{Name: "api", Containers: []render.Container{{Name: "api", Manifest: "api", Command: []string{"node", "other.js"}}}},
	})
	if builds[0].OwnCommand || !builds[1].OwnCommand {
		t.Errorf("builds %+v", builds)
	}
}
