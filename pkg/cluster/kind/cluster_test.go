package kind

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zr/internal/testkit"
	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/cluster/hostport"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// childVariable makes this test binary bring a cluster up and do nothing
// else, for the tests that kill it.
const childVariable = "ZR_TEST_CHILD"

func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		p := New(Options{Name: name, Kubeconfig: os.Getenv("ZR_TEST_CHILD_KUBECONFIG"),
			EnsureNodeImage: func(context.Context, engine.Engine) (string, error) { return os.Getenv("ZR_TEST_NODE_IMAGE"), nil },
			OnNodeUp:        func(context.Context, []cluster.Node) { fmt.Println("node up") },
		})
		if _, err := p.Ensure(context.Background(), event.Discard); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// lab is a real engine for tests that need one.
type lab struct {
	t      *testing.T
	engine engine.Engine
	opts   Options
	testkit.Recorder
}

func newLab(t *testing.T, name string) *lab {
	t.Helper()
	want, image := os.Getenv("ZR_TEST_ENGINE"), os.Getenv("ZR_TEST_NODE_IMAGE")
	if want == "" || image == "" {
		t.Skip("ZR_TEST_ENGINE and ZR_TEST_NODE_IMAGE name no engine and node image to test with")
	}
	t.Setenv("XDG_CONFIG_HOME", t.TempDir()) // locks and settings of the test's own
	e, err := engine.Find(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, engine: e}
	l.opts = Options{
		Name:            fmt.Sprintf("zrtest-cl-%s-%d", name, os.Getpid()),
		Kubeconfig:      filepath.Join(t.TempDir(), "kubeconfig"),
		EnsureNodeImage: func(context.Context, engine.Engine) (string, error) { return image, nil },
	}
	t.Setenv("ZR_ENGINE", want)
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "user")) // not the developer's
	t.Cleanup(func() {
		if err := newProvider(l.opts).remove(context.Background(), e); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
	})
	return l
}

func (l *lab) Emit(e event.Event) {
	l.Recorder.Emit(e)
	l.t.Logf("%T %+v", e, e)
}

// notices returns the notices so far that contain text.
func (l *lab) notices(text string) (n int) {
	for _, e := range l.Events() {
		if notice, ok := e.(event.Notice); ok && strings.Contains(notice.Text, text) {
			n++
		}
	}
	return n
}

func (l *lab) ensure() *cluster.Cluster {
	l.t.Helper()
	c, err := New(l.opts).Ensure(l.t.Context(), l)
	if err != nil {
		l.t.Fatalf("Ensure: %v (hint: %s)", err, fault.HintOf(err))
	}
	return c
}

func (l *lab) run(args ...string) string {
	l.t.Helper()
	out, err := l.engine.Output(l.t.Context(), args...)
	if err != nil {
		l.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// nothingLeft fails the test if anything of the cluster is still in the engine.
func (l *lab) nothingLeft() {
	l.t.Helper()
	if out := l.run("ps", "-a", "-q", "--filter", "label="+clusterLabel+"="+l.opts.Name); out != "" {
		l.t.Errorf("containers are left: %s", out)
	}
	if l.engine.Name == engine.Podman {
		if out := l.run("volume", "ls", "-q", "--filter", "label="+l.opts.Name+"-control-plane"); out != "" {
			l.t.Errorf("volumes are left: %s", out)
		}
	}
	if out := l.run("images", "-q", ownImage+":"+l.opts.Name); out != "" {
		l.t.Errorf("the name of its node image is left: %s", out)
	}
	if _, err := os.Stat(l.opts.Kubeconfig); err == nil {
		l.t.Error("its kubeconfig is left")
	}
}

// uid returns the UID of the kube-system namespace, which names a cluster's
// data: it is another one when the cluster was made anew.
func uid(t *testing.T, c *cluster.Cluster) string {
	t.Helper()
	defer c.Client.Close()
	var ns struct{ Metadata struct{ UID string } }
	if err := c.Client.Get(t.Context(), "api/v1/namespaces/kube-system", nil, &ns); err != nil {
		t.Fatal(err)
	}
	return ns.Metadata.UID
}

func TestLifecycle(t *testing.T) {
	l := newLab(t, "life")
	port := int32(testkit.FreePort(t))
	l.opts.Ports = []Port{{"web", port, 30000}}
	up := make(chan []cluster.Node, 1)
	l.opts.OnNodeUp = func(_ context.Context, n []cluster.Node) { up <- n }

	if _, err := New(l.opts).Find(t.Context()); !errors.Is(err, cluster.ErrNotFound) {
		t.Fatalf("Find before Ensure: %v", err)
	}

	t.Log("a port in use is found before anything is made")
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	var taken *hostport.Taken
	_, err = New(l.opts).Ensure(t.Context(), l)
	if !errors.As(err, &taken) || taken.Owner.PID != os.Getpid() || !strings.Contains(fault.HintOf(err), "cluster.ports.web") {
		t.Fatalf("Ensure with a port in use: %v (hint: %s)", err, fault.HintOf(err))
	}
	listener.Close()
	l.nothingLeft()

	c := l.ensure()
	first := uid(t, c)
	select {
	case nodes := <-up:
		if len(nodes) != 1 || nodes[0].Name() != c.Nodes[0].Name() {
			t.Errorf("OnNodeUp got %v", nodes)
		}
	case <-time.After(time.Minute):
		t.Error("OnNodeUp was not called")
	}
	var out strings.Builder
	if err := c.Nodes[0].Run(t.Context(), strings.NewReader("through"), &out, "cat"); err != nil || out.String() != "through" {
		t.Errorf("Run in the node: %q, %v", out.String(), err)
	}
	if err := c.Nodes[0].Run(t.Context(), nil, nil, "sh", "-c", "echo why >&2; false"); err == nil || !strings.Contains(err.Error(), "why") {
		t.Errorf("a command that fails in the node: %v", err)
	}
	if info, err := os.Stat(c.Kubeconfig); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kubeconfig: %v, %v", info, err)
	}
	if err := hostport.Check(port); err == nil {
		t.Error("the port is not published")
	}
	if os.Getenv("CONTAINERS_CONF") != "" {
		t.Error("the settings for podman are left in the environment")
	}

	t.Log("found without any process")
	path := os.Getenv("PATH")
	t.Setenv("PATH", "")
	if _, err := New(l.opts).Find(t.Context()); err != nil {
		t.Errorf("Find: %v", err)
	}
	l.ensure()
	t.Setenv("PATH", path)

	t.Log("other ports than those it was made with")
	other := l.opts
	other.Ports = []Port{{"web", port, 30007}}
	for what, get := range map[string]func() (*cluster.Cluster, error){
		"Ensure": func() (*cluster.Cluster, error) { return New(other).Ensure(t.Context(), l) },
		"Find":   func() (*cluster.Cluster, error) { return New(other).Find(t.Context()) },
	} {
		if c, err := get(); err != nil || len(c.Ports) != 1 || c.Ports[port] != 30000 {
			t.Errorf("%s with other ports: %+v, %v", what, c, err)
		}
	}

	t.Log("a lost kubeconfig")
	if err := os.Remove(l.opts.Kubeconfig); err != nil {
		t.Fatal(err)
	}
	if c, err = New(l.opts).Find(t.Context()); err != nil || uid(t, c) != first {
		t.Errorf("Find without its kubeconfig: %v", err)
	}

	t.Log("stopped nodes")
	l.run("stop", "-t", "1", c.Nodes[0].Name())
	if _, err := New(l.opts).Find(t.Context()); !errors.Is(err, cluster.ErrDown) {
		t.Errorf("Find of a stopped cluster: %v", err)
	}
	if c = l.ensure(); uid(t, c) != first {
		t.Error("a stopped cluster was made anew")
	}
	if l.notices("started again") != 1 {
		t.Error("nothing said that the cluster was started again")
	}

	t.Log("deleted underneath")
	l.run("rm", "-f", "-v", c.Nodes[0].Name())
	if _, err := New(l.opts).Find(t.Context()); !errors.Is(err, cluster.ErrNotFound) {
		t.Errorf("Find of a deleted cluster: %v", err)
	}

	if err := New(l.opts).Delete(t.Context(), l); err != nil {
		t.Errorf("Delete: %v", err)
	}
	l.nothingLeft()
	if err := New(l.opts).Delete(t.Context(), l); err != nil {
		t.Errorf("Delete of what is not there: %v", err)
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	for _, when := range []string{"preparing nodes", "starting the control plane: certs"} {
		t.Run(when, func(t *testing.T) {
			l := newLab(t, "cancel")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			sink := event.SinkFunc(func(e event.Event) {
				l.Emit(e)
				if p, ok := e.(event.StepProgress); ok && p.Detail == when {
					cancel()
				}
			})
			l.opts.OnNodeUp = func(ctx context.Context, _ []cluster.Node) { <-ctx.Done() }
			_, err := New(l.opts).Ensure(ctx, sink)
			if !errors.Is(err, context.Canceled) || fault.Code(err) != fault.Interrupted {
				t.Errorf("Ensure: %v", err)
			}
			l.nothingLeft()
		})
	}
}

func TestKilledWhileMaking(t *testing.T) {
	l := newLab(t, "killed")
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+l.opts.Name, "ZR_TEST_CHILD_KUBECONFIG="+l.opts.Kubeconfig)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 64)
	n, _ := out.Read(line)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if got := strings.TrimSpace(string(line[:n])); got != "node up" {
		t.Fatalf("the child said %q", got)
	}
	l.ensure()
	if l.notices("half made") != 1 {
		t.Error("nothing said that a half-made cluster was replaced")
	}
}

func TestForeignClusterIsLeftAlone(t *testing.T) {
	l := newLab(t, "foreign")
	name := l.opts.Name + "-control-plane"
	image, _ := l.opts.EnsureNodeImage(t.Context(), l.engine)
	t.Cleanup(func() { _ = l.engine.Run(context.Background(), nil, nil, "rm", "-f", name) })
	l.run("create", "--name", name, "--label", clusterLabel+"="+l.opts.Name, "--label", roleLabel+"="+controlPlane, image)

	for doing, err := range map[string]error{
		"Ensure": func() error { _, err := New(l.opts).Ensure(t.Context(), l); return err }(),
		"Find":   func() error { _, err := New(l.opts).Find(t.Context()); return err }(),
		"Delete": New(l.opts).Delete(t.Context(), l),
	} {
		if err == nil || !strings.Contains(err.Error(), "not made by zr") || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", doing, err)
		}
	}
	l.run("inspect", name)
}

// TestWorkers makes a cluster of two nodes, which kind does from beginning to
// end, as it does with the published images.
func TestWorkers(t *testing.T) {
	l := newLab(t, "workers")
	l.opts.NodeImage, _ = l.opts.EnsureNodeImage(t.Context(), l.engine)
	l.opts.Nodes = 2
	up := make(chan []cluster.Node, 1)
	l.opts.OnNodeUp = func(_ context.Context, n []cluster.Node) { up <- n }

	c := l.ensure()
	want := []string{l.opts.Name + "-control-plane", l.opts.Name + "-worker"}
	for _, nodes := range [][]cluster.Node{c.Nodes, <-up} {
		if len(nodes) != 2 || nodes[0].Name() != want[0] || nodes[1].Name() != want[1] {
			t.Errorf("nodes are %v, want %v", nodes, want)
		}
	}

	t.Log("a stopped worker is started again")
	l.run("kill", want[1])
	first := uid(t, c)
	// Until the control plane has noticed, nothing is amiss for Ensure.
	h, err := newProvider(l.opts).locate(t.Context())
	if err != nil || len(h.stopped()) != 1 {
		t.Fatalf("the engine says %+v, %v", h, err)
	}
	if _, err := newProvider(l.opts).revive(t.Context(), h, l); err != nil {
		t.Fatal(err)
	}
	if c = l.ensure(); uid(t, c) != first {
		t.Error("the cluster was made anew")
	}

	t.Log("what the config asks for and this cluster is not")
	l.opts.Nodes, l.opts.NodeImage = 3, "another:1"
	l.ensure()
	if l.notices("the config asks for 3") != 1 || l.notices("the config asks for another:1") != 1 {
		t.Error("nothing said that the cluster differs from the config")
	}
}
