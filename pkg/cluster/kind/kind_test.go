package kind

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"zr/pkg/cluster/engine"
	"zr/pkg/event"
	"zr/pkg/fault"
)

func newProvider(opts Options) *provider { return New(opts).(*provider) }

func TestConfig(t *testing.T) {
	opts := Options{Name: "x", Nodes: 2, Ports: []Port{{"web", 3000, 30000}}}
	plain := newProvider(opts).config(engine.Engine{Name: engine.Docker}, image{ref: "node:1"})
	if plain.FeatureGates != nil || plain.ContainerdConfigPatches != nil || plain.Networking.DisableDefaultCNI {
		t.Errorf("an ordinary machine gets workarounds: %+v", plain)
	}
	if diff := cmp.Diff(quickStart, plain.KubeadmConfigPatches); diff != "" {
		t.Errorf("kubeadm patches (-want +got):\n%s", diff)
	}
	if len(plain.Nodes) != 2 || plain.Nodes[0].Role != v1alpha4.ControlPlaneRole || plain.Nodes[1].Role != v1alpha4.WorkerRole {
		t.Fatalf("nodes: %+v", plain.Nodes)
	}
	want := []v1alpha4.PortMapping{{ContainerPort: 30000, HostPort: 3000, ListenAddress: "127.0.0.1", Protocol: "TCP"}}
	if diff := cmp.Diff(want, plain.Nodes[0].ExtraPortMappings); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
	if plain.Nodes[1].ExtraPortMappings != nil {
		t.Error("a worker publishes ports too")
	}

	constrained := engine.Engine{Name: engine.Podman, Host: engine.Host{CgroupV1: true, NoSysResource: true}}
	got := newProvider(opts).config(constrained, image{ref: "node:1", boots: true})
	if !got.FeatureGates[kubeletInUserNamespace] || !got.Networking.DisableDefaultCNI {
		t.Errorf("a constrained machine lacks workarounds: %+v", got)
	}
	published := newProvider(opts).config(constrained, image{ref: "node:1"})
	if len(published.ContainerdConfigPatches) == 0 || len(got.ContainerdConfigPatches) != 0 {
		t.Error("OOM scores are kept by a patch for a published image, and by zr's own itself")
	}
	if last := got.KubeadmConfigPatches[len(got.KubeadmConfigPatches)-1]; last != acceptCgroupV1 {
		t.Errorf("the last kubeadm patch is %q", last)
	}
	if !slices.Contains(got.KubeadmConfigPatches, usePatches) || slices.Contains(plain.KubeadmConfigPatches, usePatches) {
		t.Error("patches of kubeadm's own deployments are for zr's own image, and only for that")
	}
	if len(quickStart) != len(plain.KubeadmConfigPatches) {
		t.Error("config grew the patches that all clusters share")
	}
}

func TestParseInspect(t *testing.T) {
	const docker = `[{"Name":"/x-worker","Config":{"Image":"localhost/zr/node:x","Labels":{"io.x-k8s.kind.role":"worker"}},
		"State":{"Running":false},"HostConfig":{"PortBindings":{}}},
		{"Name":"/x-control-plane","Config":{"Image":"localhost/zr/node:x","Labels":{"io.x-k8s.kind.role":"control-plane"}},
		"State":{"Running":true},"HostConfig":{"PortBindings":{"6443/tcp":[{"HostIp":"127.0.0.1","HostPort":"40001"}],"30000/tcp":[{"HostIp":"127.0.0.1","HostPort":"3000"}]}}}]`
	got, err := parseInspect([]byte(docker))
	if err != nil {
		t.Fatal(err)
	}
	h := holding{cluster: "x", nodes: got}
	if diff := cmp.Diff([]string{"x-control-plane", "x-worker"}, h.names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int32{3000, 40001}, got[0].ports); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
	if s := h.stopped(); len(s) != 1 || s[0].name != "x-worker" {
		t.Errorf("stopped: %v", s)
	}
	if f := h.foreign(); f != "" {
		t.Errorf("%q is taken for another's", f)
	}
	h.cluster = "y"
	if f := h.foreign(); f != "x-control-plane" {
		t.Errorf("foreign is %q", f)
	}
}

func TestParseInspectOfNerdctl(t *testing.T) {
	got, err := parseInspect([]byte(`[{"Name":"x-control-plane","Image":"localhost/zr/node:x","Config":{"Labels":{"io.x-k8s.kind.role":"control-plane"}},
		"State":{"Running":true},"HostConfig":{"PortBindings":{}}}]`))
	if err != nil || (holding{cluster: "x", nodes: got}).foreign() != "" {
		t.Errorf("zr's own node is taken for another's: %+v, %v", got, err)
	}
}

// fakeEngine is docker that notes what it is asked for and says nothing.
func fakeEngine(t *testing.T) (e engine.Engine, asked func() string) {
	t.Helper()
	bin := t.TempDir()
	e = engine.Engine{Name: engine.Docker, Path: filepath.Join(bin, "docker")}
	if err := os.WriteFile(e.Path, []byte("#!/bin/sh\necho \"$@\" >>"+bin+"/log\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	return e, func() string {
		log, _ := os.ReadFile(filepath.Join(bin, "log"))
		return string(log)
	}
}

// TestPausedNodes: a paused container has its ports and cannot be started.
func TestPausedNodes(t *testing.T) {
	e, asked := fakeEngine(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	own := int32(l.Addr().(*net.TCPAddr).Port)
	h := holding{cluster: "x", engine: e, nodes: []container{{name: "x-control-plane", paused: true, ports: []int32{own}}}}
	if err := newProvider(Options{Name: "x"}).start(t.Context(), h, h.stopped(), event.Discard); err != nil {
		t.Error(err)
	}
	if got := asked(); got != "unpause x-control-plane\n" {
		t.Errorf("the engine was asked for %q", got)
	}
}

// TestKindsLockIsDropped: kind leaves it behind when zr is killed.
func TestKindsLockIsDropped(t *testing.T) {
	e, _ := fakeEngine(t)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig+".lock", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := newProvider(Options{Name: "x", Kubeconfig: kubeconfig})
	if err := p.removeAll(t.Context(), holding{cluster: "x", engine: e, nodes: []container{{name: "x-control-plane"}}}); err != nil {
		t.Error(err)
	}
}

// TestDeleteWithoutAnEngine: what a dead engine may still hold is not called
// deleted.
func TestDeleteWithoutAnEngine(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("ZR_ENGINE", "")
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	remove := func() error {
		return newProvider(Options{Name: "x", Kubeconfig: kubeconfig}).Delete(t.Context(), event.Discard)
	}
	if err := os.WriteFile(kubeconfig, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := remove(); err != nil {
		t.Errorf("without any engine: %v", err)
	}
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\necho no daemon >&2; exit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := remove(); err != nil {
		t.Errorf("without a cluster: %v", err)
	}
	if err := os.WriteFile(kubeconfig, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := remove(); !errors.Is(err, engine.ErrNone) || !strings.Contains(err.Error(), "no daemon") {
		t.Errorf("with a dead engine: %v", err)
	}
	if _, err := os.Stat(kubeconfig); err != nil {
		t.Errorf("the kubeconfig is gone: %v", err)
	}
}

func TestLost(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	of := func(name, root string, c container) error {
		return holding{cluster: "x", engine: engine.Engine{Name: name, Root: root}, nodes: []container{c}}.lost()
	}
	dead := container{name: "x-control-plane", running: true, pid: gone.Process.Pid}
	if err := of(engine.Podman, "/var/lib/containers", dead); err == nil || !strings.Contains(fault.HintOf(err), "down --purge") {
		t.Errorf("a killed node: %v", err)
	}
	for name, err := range map[string]error{
		"alive":              of(engine.Podman, "/var/lib/containers", container{running: true, pid: os.Getpid()}),
		"stopped":            of(engine.Podman, "/var/lib/containers", container{pid: 0}),
		"on another machine": of(engine.Podman, "", dead),
		"kept by docker":     of(engine.Docker, "/var/lib/docker", dead),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRead(t *testing.T) {
	const item = `{"metadata":{"name":"%NAME","labels":{%LABEL},"annotations":{%NOTE}},"spec":{"providerID":"kind://podman/x/%NAME"},
		"status":{"conditions":[{"type":"MemoryPressure","status":"False"},{"type":"Ready","status":"%READY"}]}}`
	make := func(name, label, note, ready string) string {
		return strings.NewReplacer("%NAME", name, "%LABEL", label, "%NOTE", note, "%READY", ready).Replace(item)
	}
	const first = `"node-role.kubernetes.io/control-plane":""`
	const note = `"zr.dev/cluster":"{\"ports\":[{\"service\":\"web\",\"host\":3000,\"node\":30000}],\"nodes\":2,\"nodeImage\":\"n:1\"}"`
	tests := map[string]struct {
		items []string
		ready bool
		err   error
	}{
		"whole":       {items: []string{make("w", "", "", "True"), make("cp", first, note, "True")}, ready: true},
		"not ready":   {items: []string{make("w", "", "", "Unknown"), make("cp", first, note, "True")}},
		"one missing": {items: []string{make("cp", first, note, "True")}},
		"unfinished":  {items: []string{make("cp", first, "", "True")}, err: errUnfinished},
		"empty":       {err: errUnfinished},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var list nodeList
			if err := json.Unmarshal([]byte(`{"items":[`+strings.Join(tt.items, ",")+`]}`), &list); err != nil {
				t.Fatal(err)
			}
			f, err := newProvider(Options{Name: "x"}).read("/k", list)
			if !errors.Is(err, tt.err) {
				t.Fatalf("err = %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if f.ready != tt.ready {
				t.Errorf("ready = %v", f.ready)
			}
			if n := f.Nodes[0].(node); n.name != "cp" || n.engine.Name != engine.Podman {
				t.Errorf("the first node is %+v", n)
			}
			if f.record.Nodes != 2 || f.record.NodeImage != "n:1" || len(f.record.Ports) != 1 {
				t.Errorf("record: %+v", f.record)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	var details []string
	sink := event.SinkFunc(func(e event.Event) { details = append(details, e.(event.StepProgress).Detail) })

	var statuses []string
	l := &logger{sink: sink, onStatus: func(s string) { statuses = append(statuses, s) }}
	l.V(0).Infof(" • %s  ...\n", "Starting control-plane 🕹️")
	l.V(0).Infof(" ✓ %s\n", "Starting control-plane 🕹️")
	l.V(3).Info(" • noise")
	l.Warn("cgroup v1 is deprecated")

	w := &phaseWriter{sink: sink}
	for _, part := range []string{"[init] Using Kub", "ernetes version: v1\n[certs] a\n[certs] b\nno phase\n[etcd] c\n", "[unfinished"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	want := []string{"starting control-plane", "starting the control plane: init", "starting the control plane: certs", "starting the control plane: etcd"}
	if diff := cmp.Diff(want, details); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Starting control-plane"}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}
