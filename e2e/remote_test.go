package e2e

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"filippo.io/age"
	"github.com/google/go-containerregistry/pkg/registry"

	"zr/internal/lab"
)

// The environment "shared" of the example: a cluster that is there already, of
// which zr knows a context and the registry that its nodes pull from.
const sharedConfig = `project: zrtest-remote
cluster:
  provider: context
  context: kind-zrtest-remote-dev
  registry: %s/hello
  deltaPush: true
services:
  greeter:
    build: {go: ./greeter}
  web:
    build: {node: web}
    dependsOn: [greeter]
settings:
  GREETING: Welcome
`

const sharedOverlay = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: hello-shared
resources: [../dev]
patches:
  - target: {kind: Service}
    patch: |
      - {op: remove, path: /spec/type}
      - {op: remove, path: /spec/ports/0/nodePort}
  - target: {kind: Namespace}
    patch: |
      - {op: replace, path: /metadata/name, value: hello-shared}
`

// TestRemote drives environments on a cluster of three nodes that zr did not make
// for them: images go through a registry, and nothing is reached by a port of this
// machine.
func TestRemote(t *testing.T) {
	p := lab.NewProject(t, "examples/hello", "zrtest-remote", map[string]int{"greeter": 18190, "web": 18191})
	p.Write("config/dev.yaml", p.Read("config/dev.yaml")+"  nodes: 3\n")
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	p.Env = []string{"KUBECONFIG=" + kubeconfig}
	p.Must("up", "--merge-kubeconfig")
	t.Run("by its context", func(t *testing.T) { testContext(t, as(t, p), kubeconfig) })
	t.Run("on Azure", func(t *testing.T) { testAKS(t, p, kubeconfig) })
	lab.Get(t, "http://localhost:18190/greet") // the other environment, in the same cluster
}

// sealSecrets has the secrets of "shared" in a sealed file alone. It returns what the
// cluster has of one.
func sealSecrets(t *testing.T, p *lab.Project) func() string {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	p.Env = append(p.Env, "ZR_AGE_KEY="+key.String())
	plain := p.Path("config/secrets/shared.env")
	p.Write("config/secrets/shared.env", "TOKEN=correct-horse\n")
	if err := os.Chmod(plain, 0o600); err != nil {
		t.Fatal(err)
	}
	p.Must("secrets", "seal", "--env", "shared", "--to", key.Recipient().String())
	if _, err := os.Stat(plain); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the plain file is still there: %v", err)
	}
	return func() string {
		t.Helper()
		value, err := base64.StdEncoding.DecodeString(p.Kubectl("get", "secret", "secrets", "-n", "hello-shared", "-o", "jsonpath={.data.TOKEN}"))
		if err != nil {
			t.Fatal(err)
		}
		return string(value)
	}
}

// testContext knows a context of the cluster, and the registry that its nodes pull
// from.
func testContext(t *testing.T, p *lab.Project, kubeconfig string) {
	const target = "kind-zrtest-remote-dev"
	registry, l := newCountedRegistry(t, p), newLine(t, kubeconfig)
	pushed := registry.manifests.Load
	p.Write("config/shared.yaml", fmt.Sprintf(sharedConfig, registry.host))
	p.Write("kustomize/overlays/shared/kustomization.yaml", sharedOverlay)

	unsealed := sealSecrets(t, p)
	far := as(t, p, "KUBECONFIG="+l.kubeconfig)
	p.Must("up", "--target", target)
	if got := unsealed(); got != "correct-horse" {
		t.Errorf("the Secret has %q", got)
	}
	stored := pushed()
	p.Replace("greeter/words/words.go", "name + \"!", "name + \"!!") // a diff shows it, and changes nothing anywhere
	if r := p.Must("diff", "--target", target); !strings.Contains(r.Stdout, ".image: ") || pushed() != stored {
		t.Errorf("a diff pushed %d images:\n%s", pushed()-stored, r.Stdout)
	}
	p.Replace("greeter/words/words.go", "name + \"!!", "name + \"!")
	image := func(service string) string {
		return p.Kubectl("get", "deployment", service, "-n", "hello-shared", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
	}
	release := image("greeter")
	if !strings.HasPrefix(release, "localhost:") || !strings.Contains(release, "/hello/greeter") || !strings.Contains(release, "@sha256:") {
		t.Errorf("the greeter runs %s", release)
	}
	say := func(service, path string) string {
		return p.Kubectl("get", "--raw", "/api/v1/namespaces/hello-shared/services/"+service+":http/proxy"+path)
	}
	if got := say("greeter", "/greet"); !strings.HasPrefix(got, "Welcome, world") {
		t.Errorf("the greeter says %q", got)
	}
	for _, e := range p.Must("up", "--target", target, "-o", "json").Events {
		if e.Text("type") == "step.done" && e["unchanged"] != true {
			t.Errorf("a second run found something to do: %v", e)
		}
	}
	p.Fails(2, []string{"elsewhere", "no"}, "up", "--target", "elsewhere")

	dev := far.Start("dev", "--target", target)
	dev.Wait(0, "the stack to be ready", ofType("ready"))
	greets := func(what, words string, mark int, trips func() (int, string)) {
		t.Helper()
		trace := dev.Wait(mark, what, reloaded("greeter"))
		if trips != nil {
			n, which := trips()
			t.Logf("%s: %d round trips: %s", what, n, which)
			if n == 0 || n > mostTrips { // none: it came by another way
				t.Errorf("%s takes %d round trips to be live, at most %d: %s", what, n, mostTrips, which)
			}
		}
		if trace.Text("error") != "" {
			t.Errorf("%s: trace %v", what, trace)
		}
		if got := say("greeter", "/greet"); got != "Welcome, world! "+words+"\n" {
			t.Errorf("%s: the greeter says %q", what, got)
		}
	}
	mark, trips := dev.Mark(), l.count()
	p.Replace("greeter/words/words.go", `"!\n"`, `"! Good day.\n"`)
	greets("the first save", "Good day.", mark, trips)
	mark, trips = dev.Mark(), l.count()
	p.Replace("greeter/words/words.go", "Good day.", "A good day.")
	greets("another save", "A good day.", mark, trips)
	testSleep(t, p, l, dev, greets)
	p.Replace("web/page.js", "up for", "running for")
	lab.Eventually(t, "the page", func() string { // not answered while node starts it again
		got, err := p.TryKubectl("get", "--raw", "/api/v1/namespaces/hello-shared/services/web:http/proxy/")
		if err != nil || !strings.Contains(got, "running for") {
			return got
		}
		return ""
	})
	dev.Interrupt()

	// Its registry is the loopback of each machine, and so none of a pod's.
	if r := p.Must("up", "--target", target, "-o", "json"); !strings.Contains(r.Stdout, "/hello/greeter travels as a whole: ") || !strings.Contains(r.Stdout, "connection refused") {
		t.Errorf("a pod that cannot reach the registry goes without a word:\n%s", r.Stdout)
	}
	if left := strings.TrimSpace(p.Kubectl("get", "pods", "-n", "hello-shared", "-l", "zr.dev/pushes", "-o", "name")); left != "" {
		t.Errorf("after a push there is %s", left)
	}
	if got := image("greeter"); got == release || strings.Contains(got, "dev") {
		t.Errorf("after `zr up` the greeter runs %s, before the edit it was %s", got, release)
	}
	t.Run("two programs on one environment", func(t *testing.T) { testTwoPrograms(t, p, far, l) })
	t.Run("images and manifests for a pipeline", func(t *testing.T) { testPipeline(t, p, registry) })
	t.Run("by what has changed", func(t *testing.T) { testPods(t, p, registry) })
	own := strings.NewReplacer("hello-shared", "hello-ann")
	p.Must("up", "--target", target, "--namespace", "hello-ann", "--keep", "1ns") // wanted no longer than it took
	if got := p.Kubectl("get", "--raw", own.Replace("/api/v1/namespaces/hello-shared/services/greeter:http/proxy/greet")); got != "Welcome, world! How do you do?\n" {
		t.Errorf("in a namespace of one's own the greeter says %q", got)
	}
	if r := p.Must("up", "--target", target, "-o", "json"); !strings.Contains(r.Stdout, "hello-ann") || !strings.Contains(say("greeter", "/greet"), "How do you do?") {
		t.Errorf("what has expired goes without a word, or more goes with it:\n%s", r.Stdout)
	}
	if left := strings.TrimSpace(p.Kubectl("get", "namespaces", "-o", "name", "--ignore-not-found", "hello-ann")); left != "" {
		t.Errorf("after its time there is %s", left)
	}
	p.Must("down", "--target", target, "--purge", "--yes")
	if left := strings.TrimSpace(p.Kubectl("get", "namespaces", "-o", "name", "--ignore-not-found", "hello-shared")); left != "" {
		t.Errorf("after a purge there is %s", left)
	}
	p.Replace("greeter/words/words.go", `"! How do you do?\n"`, `"!\n"`)
}

// gatewayOf is the address of this machine for a node.
func gatewayOf(t *testing.T, node string) string {
	t.Helper()
	return strings.TrimSpace(lab.Output(t, "", lab.EngineName(), "exec", node, "sh", "-c", "ip -4 route show default | cut -d' ' -f3"))
}

// mostTrips is how many round trips a save may take beyond its build and its bytes.
const mostTrips = 4

// countedRegistry is a registry that counts what it was sent.
type countedRegistry struct {
	host string // by which this machine and the nodes know it: the loopback of each
	near string // by which pods know it as well
	http.Handler

	gateway   string
	manifests atomic.Int64 // images
	blobs     atomic.Int64 // layers and configs, by whomever
	byPods    atomic.Int64 // those that pods sent
	bytes     atomic.Int64 // that this machine sent
}

func newCountedRegistry(t *testing.T, p *lab.Project) *countedRegistry {
	t.Helper()
	gateway := gatewayOf(t, p.Name+"-dev-control-plane")
	bridge := listen(t, net.JoinHostPort(gateway, "0"))
	_, port, _ := net.SplitHostPort(bridge.Addr().String())
	loopback := listen(t, net.JoinHostPort("127.0.0.1", port))
	r := &countedRegistry{host: "localhost:" + port, near: bridge.Addr().String(), gateway: gateway, Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	serve(t, r, bridge, loopback)
	for _, node := range nodesOf(p) {
		lab.Output(t, "", lab.EngineName(), "exec", node, "sh", "-c",
			"iptables -t nat -A OUTPUT -d 127.0.0.1 -p tcp --dport "+port+" -j DNAT --to-destination "+r.near+
				" && iptables -t nat -A POSTROUTING -d "+gateway+" -p tcp --dport "+port+" -j MASQUERADE")
	}
	return r
}

func (c *countedRegistry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from, _, _ := net.SplitHostPort(r.RemoteAddr)
	ours := from == "127.0.0.1" || from == c.gateway
	if _, name, ok := strings.Cut(r.URL.Path, "/manifests/"); ok && r.Method == http.MethodPut && !strings.HasPrefix(name, "sha256") { // no referrer
		c.manifests.Add(1)
	}
	if strings.Contains(r.URL.Path, "/blobs/uploads/") && r.Method == http.MethodPut {
		c.blobs.Add(1)
		if !ours {
			c.byPods.Add(1)
		}
	}
	if ours && r.Body != nil {
		r.Body = &countedBody{r.Body, &c.bytes}
	}
	c.Handler.ServeHTTP(w, r)
}

// countedBody is a body whose bytes are counted.
type countedBody struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (b *countedBody) Read(to []byte) (int, error) {
	n, err := b.ReadCloser.Read(to)
	b.bytes.Add(int64(n))
	return n, err
}

func nodesOf(p *lab.Project) []string {
	return strings.Fields(p.Kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}"))
}

// pullBy has nodes pull from a registry as a hosts.toml of containerd says.
func pullBy(t *testing.T, nodes []string, registry, hosts string) {
	t.Helper()
	const script = `mkdir -p "/etc/containerd/certs.d/$1"
printf '%s' "$2" > "/etc/containerd/certs.d/$1/hosts.toml"
if ! grep -q certs.d /etc/containerd/config.toml; then
  printf '[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n' >> /etc/containerd/config.toml
  systemctl restart containerd
fi`
	for _, node := range nodes {
		lab.Output(t, "", lab.EngineName(), "exec", node, "sh", "-c", script, "sh", registry, hosts)
	}
}
