package render_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/agentspec"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/render/rendertest"
	"zr/pkg/probe"
)

func TestDevMode(t *testing.T) {
	p := rendertest.New(t)
	p.Options.Dev = map[string]render.DevService{"web": {Memory: "1Gi", WritableDir: "/app", Slow: true}}
	r := p.Render()
	r.Pin(nil, map[string]string{"web": "dev@sha256:1"})
	web := object(t, r, "Deployment", "web")
	asked := `{"kind":"http","scheme":"HTTP","path":"/health","port":8080,"period":1000000000,"timeout":10000000000,"successes":1,"failures":3}`
	want := map[string]any{
		"name":    "web",
		"image":   "dev@sha256:1",
		"args":    []any{"command", "/web", "--listen", ":8080"},
		"envFrom": []any{map[string]any{"configMapRef": map[string]any{"name": "settings"}}},
		"env": []any{
			map[string]any{"name": "PASSWORD", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "secrets", "key": "PASSWORD"}}},
			map[string]any{"name": "ZR_AGENT_PROBE", "value": asked},
			map[string]any{"name": "ZR_AGENT_HOST", "valueFrom": map[string]any{"fieldRef": map[string]any{"fieldPath": "status.podIP"}}},
			map[string]any{"name": "ZR_AGENT_READY_PORT", "value": "29798"},
		},
		"ports":          []any{map[string]any{"name": "http", "containerPort": int64(8080)}},
		"readinessProbe": map[string]any{"httpGet": map[string]any{"path": "/ready", "port": int64(29798)}, "periodSeconds": int64(1), "timeoutSeconds": int64(10), "failureThreshold": int64(1)},
		"resources": map[string]any{
			"requests": map[string]any{"cpu": 0.1, "memory": "64Mi"},
			"limits":   map[string]any{"cpu": "4", "memory": "1Gi"},
		},
		"volumeMounts": []any{
			map[string]any{"name": "zr-dev", "mountPath": "/app", "subPath": "files"},
			map[string]any{"name": "zr-dev", "mountPath": "/zr/volume"},
		},
	}
	if diff := cmp.Diff(want, containerAt(t, web, 0)); diff != "" {
		t.Errorf("the container (-want +got):\n%s", diff)
	}
	if n, _, _ := unstructured.NestedInt64(web.Object, "spec", "replicas"); n != 1 {
		t.Errorf("%d replicas", n)
	}
	// Nothing else changes.
	release := rendertest.New(t)
	release.Namespace = p.Namespace
	release.Write("kustomization.yaml", rendertest.KustomizationYAML)
	release.Write("namespace.yaml", rendertest.NamespaceYAML)
	if diff := cmp.Diff(object(t, release.Render(), "StatefulSet", "db").Object, object(t, p.Render(), "StatefulSet", "db").Object); diff != "" {
		t.Errorf("the StatefulSet changes (-release +dev):\n%s", diff)
	}
}

func containerAt(t *testing.T, workload *unstructured.Unstructured, i int) map[string]any {
	t.Helper()
	list, _, err := unstructured.NestedSlice(workload.Object, "spec", "template", "spec", "containers")
	if err != nil || len(list) <= i {
		t.Fatalf("%d containers, %v", len(list), err)
	}
	return list[i].(map[string]any)
}

// variable returns the value of one that a container has.
func variable(container map[string]any, name string) string {
	env, _ := container["env"].([]any)
	for _, e := range env {
		if entry := e.(map[string]any); entry["name"] == name {
			value, _ := entry["value"].(string)
			return value
		}
	}
	return ""
}

// TestWithoutAProbeTheServedPortIsAsked has a container of which the manifest says
// only that a Service leads to it.
func TestWithoutAProbeTheServedPortIsAsked(t *testing.T) {
	for served, want := range map[int32]string{0: "", 8080: `"kind":"tcp","port":8080`} {
		p := rendertest.New(t)
		p.Edit("web.yaml", "readinessProbe: {httpGet: {path: /health, port: http}, initialDelaySeconds: 3}", "")
		p.Options.Dev = map[string]render.DevService{"web": {WritableDir: "/app", Served: served}}
		c := containerAt(t, object(t, p.Render(), "Deployment", "web"), 0)
		if got := variable(c, agentspec.EnvProbe); !strings.Contains(got, want) || (got == "") != (want == "") || (c["readinessProbe"] == nil) != (want == "") {
			t.Errorf("of port %d the agent is told %q, and the kubelet asks %v", served, got, c["readinessProbe"])
		}
	}
}

// TestTheAgentAsksAsTheKubelet is told the probe of the manifest, whatever its
// kind, with all its fields.
func TestTheAgentAsksAsTheKubelet(t *testing.T) {
	second := time.Second
	for yaml, want := range map[string]probe.Probe{
		`httpGet: {path: /up, port: http, scheme: HTTPS, host: 192.0.2.1, httpHeaders: [{name: Host, value: a.test}]}, failureThreshold: 7, timeoutSeconds: 4`: {
			Kind: probe.HTTP, Scheme: "HTTPS", Path: "/up", Port: 8080, Host: "192.0.2.1", Headers: map[string][]string{"Host": {"a.test"}}, Period: second, Timeout: 4 * second, Successes: 1, Failures: 7},
		`tcpSocket: {port: 9}, successThreshold: 2, periodSeconds: 30`: {Kind: probe.TCP, Port: 9, Period: second, Timeout: second, Successes: 2, Failures: 3},
		`grpc: {port: 50051, service: shop.$(NAME)}`:                   {Kind: probe.GRPC, Port: 50051, Service: "shop.$(NAME)", Period: second, Timeout: second, Successes: 1, Failures: 3},
		`exec: {command: [test, -f, /tmp/ready]}, periodSeconds: 5`:    {Kind: probe.Exec, Command: []string{"test", "-f", "/tmp/ready"}, Period: 5 * second, Timeout: second, Successes: 1, Failures: 3},
	} {
		p := rendertest.New(t)
		p.Edit("web.yaml", "httpGet: {path: /health, port: http}, initialDelaySeconds: 3", yaml)
		p.Options.Dev = map[string]render.DevService{"web": {WritableDir: "/app"}}
		text := variable(containerAt(t, object(t, p.Render(), "Deployment", "web"), 0), agentspec.EnvProbe)
		var got probe.Probe
		// The kubelet fills in variables, and takes two dollars for one.
		if err := json.Unmarshal([]byte(strings.ReplaceAll(text, "$$", "$")), &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", yaml, diff)
		}
	}
}

// TestTheProcessOfTheManifest has its command line, folder and paths in a dev
// image too, where the files may lie elsewhere.
func TestTheProcessOfTheManifest(t *testing.T) {
	p := rendertest.New(t)
	p.Edit("web.yaml", `          args: [--listen, ":8080"]`, `          args: [/app/server.js, "--config=/app/config.json", "$(PASSWORD)", /app/node_modules/x.js, /application]
          workingDir: /app/server
          lifecycle: {preStop: {exec: {command: [node, /app/drain.js]}}}
          volumeMounts: [{name: uploads, mountPath: /app/uploads}, {name: cache, mountPath: /app/.cache}]`)
	p.Edit("web.yaml", `      containers:`, `      volumes: [{name: uploads, persistentVolumeClaim: {claimName: uploads}}, {name: cache, emptyDir: {}}]
      containers:`)
	p.Edit("web.yaml", "command: [/web]", "command: [node]")
	p.Edit("web.yaml", "          env:", "          env:\n            - {name: FILE, value: /app/file}")
	p.Options.Dev = map[string]render.DevService{"web": {WritableDir: "/app/src", ReleaseDir: "/app", Stays: []string{"/app/node_modules"}}}
	c := containerAt(t, object(t, p.Render(), "Deployment", "web"), 0)
	want := []any{"command", "node", "/app/src/server.js", "--config=/app/src/config.json", "$(PASSWORD)", "/app/node_modules/x.js", "/application"}
	if diff := cmp.Diff(want, c["args"]); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	if variable(c, agentspec.EnvDir) != "/app/src/server" || variable(c, "FILE") != "/app/src/file" || c["workingDir"] != nil || c["command"] != nil {
		t.Errorf("the container is %v", c)
	}
	hook, _, _ := unstructured.NestedStringSlice(c, "lifecycle", "preStop", "exec", "command")
	mounts, _, _ := unstructured.NestedSlice(c, "volumeMounts")
	if !slices.Equal(hook, []string{"node", "/app/src/drain.js"}) || mounts[0].(map[string]any)["mountPath"] != "/app/src/uploads" || mounts[1].(map[string]any)["mountPath"] != "/app/.cache" {
		t.Errorf("hook %v, mounts %v", hook, mounts)
	}
}

// TestContainersBesideTheService have its image and no agent: of its pod, and of
// other workloads.
func TestContainersBesideTheService(t *testing.T) {
	p := rendertest.New(t)
	p.Edit("web.yaml", "      containers:", `      initContainers: [{name: migrate, image: "web:1"}]
      containers:
        - {name: side, image: web}`)
	p.Write("jobs.yaml", `
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec:
  schedule: "* * * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: tick, image: web}, {name: other, image: "example/other:1"}]}}}}
`)
	p.Edit("kustomization.yaml", "db.yaml", "db.yaml, jobs.yaml")
	p.Options.Dev = map[string]render.DevService{"web": {WritableDir: "/app"}}
	r := p.Render()
	want := []render.Helper{{"web", "Deployment/web", "migrate"}, {"web", "Deployment/web", "side"}, {"web", "CronJob/tick", "tick"}}
	if diff := cmp.Diff(want, r.Helpers()); diff != "" {
		t.Errorf("helpers (-want +got):\n%s", diff)
	}
	r.Pin(map[string]string{"web": "release"}, map[string]string{"web": "dev"})
	images := map[string]string{}
	for _, o := range r.Objects {
		for _, path := range [][]string{
			{"spec", "template", "spec", "initContainers"}, {"spec", "template", "spec", "containers"}, {"spec", "jobTemplate", "spec", "template", "spec", "containers"},
		} {
			list, _, _ := unstructured.NestedSlice(o.Object, path...)
			for _, c := range list {
				c := c.(map[string]any)
				images[o.GetName()+"/"+c["name"].(string)] = c["image"].(string)
			}
		}
	}
	wanted := map[string]string{"web/migrate": "release", "web/side": "release", "web/web": "dev", "tick/tick": "release", "tick/other": "example/other:1", "db/db": "example/db:1"}
	if diff := cmp.Diff(wanted, images); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	own := r.Workloads()[slices.IndexFunc(r.Workloads(), func(w render.Workload) bool { return w.Name == "web" })].Own()
	if own.Name != "web" {
		t.Errorf("the service is container %q", own.Name)
	}
}
