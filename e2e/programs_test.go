package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"zr/internal/lab"
)

// testTwoPrograms has a zr be held up in the midst of its apply, by its line, and others
// on another machine meet it.
func testTwoPrograms(t *testing.T, p, far *lab.Project, l *line) {
	far, other := as(t, far), as(t, p, "XDG_CONFIG_HOME="+t.TempDir())
	up := []string{"up", "--target", "kind-zrtest-remote-dev"}
	lease := func() string {
		return p.Kubectl("get", "leases", "-n", "hello-shared", "-o", "jsonpath={range .items[*]}{.metadata.uid} {.spec.holderIdentity} {.spec.acquireTime}{end}")
	}
	p.Replace("config/shared.yaml", "GREETING: Welcome", "GREETING: Good evening")
	came, release := l.holdUp(func(r *http.Request) bool {
		return r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/deployments/greeter") && r.URL.Query().Get("dryRun") == ""
	})
	defer release()
	first := far.Start(up...)
	lab.Eventually(t, "the first to apply", func() string {
		select {
		case <-came:
			return ""
		default:
			return first.Printed()
		}
	})
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	who, held := fmt.Sprintf("`zr up` of %s on %s, process %d, has been at work on \"zrtest-remote-shared\" since ", me.Username, host, first.PID()), lease()
	if !strings.Contains(held, strconv.Itoa(first.PID())) {
		t.Errorf("the first does not have the lease: %q", held)
	}

	other.Fails(1, []string{who, "zr up ", "--wait` waits for it"}, up...)
	waits := func(e lab.Event) bool {
		return e.Text("type") == "notice" && strings.Contains(e.Text("text"), who) && strings.HasSuffix(e.Text("text"), "; waiting for it")
	}
	impatient := other.Start(append(up, "--wait")...)
	impatient.Wait(0, "the impatient one to wait", waits)
	if code := impatient.Interrupt(); code != 130 {
		t.Errorf("after Ctrl-C the one that waits ends with %d:\n%s", code, impatient.Printed())
	}
	if now := lease(); now != held {
		t.Errorf("after others have come the lease is %q, before it was %q", now, held)
	}

	patient := other.Start(append(up, "--wait")...)
	patient.Wait(0, "the patient one to wait", waits)
	release()
	for who, run := range map[string]*lab.Running{"the first": first, "the patient one": patient} {
		if code := run.End(); code != 0 {
			t.Errorf("%s ends with %d:\n%s", who, code, run.Printed())
		}
	}
	if left := lease(); left != "" {
		t.Errorf("after both there is the lease %q", left)
	}
	if got := p.Kubectl("get", "--raw", "/api/v1/namespaces/hello-shared/services/greeter:http/proxy/greet"); !strings.HasPrefix(got, "Good evening, world") {
		t.Errorf("after both the greeter says %q", got)
	}
	p.Replace("config/shared.yaml", "GREETING: Good evening", "GREETING: Welcome")
}

// testPipeline pushes the images of the environment and prints its manifests, on one
// machine and then on another.
func testPipeline(t *testing.T, p *lab.Project, r *countedRegistry) {
	p = as(t, p)
	p.Write("config/shared.yaml", strings.Replace(p.Read("config/shared.yaml"), r.host+"/hello", r.host+"/pipeline", 1))
	push := func(p *lab.Project) (names string, blobs int64) {
		t.Helper()
		before := r.blobs.Load()
		return p.Must("images", "push", "--env", "shared").Stdout, r.blobs.Load() - before
	}
	names, sent := push(p)
	if lines := strings.Fields(names); len(lines) != 2 || !strings.Contains(lines[0], r.host+"/pipeline/") || !strings.Contains(lines[0], "@sha256:") || sent == 0 {
		t.Errorf("with %d blobs sent, what was pushed is\n%s", sent, names)
	}
	manifests := p.Must("render", "--env", "shared").Stdout
	for _, name := range strings.Fields(names) {
		if !strings.Contains(manifests, name) {
			t.Errorf("%s is not in the manifests:\n%s", name, manifests)
		}
	}

	home := t.TempDir()
	other := as(t, p, "HOME="+home, "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=", "KUBECONFIG="+filepath.Join(home, "none"),
		"GOCACHE="+strings.TrimSpace(lab.Output(t, "", "go", "env", "GOCACHE")), "GOMODCACHE="+strings.TrimSpace(lab.Output(t, "", "go", "env", "GOMODCACHE")))
	shareRecipes(t, home)
	other.Dir = lab.Copy(t, "examples/hello")
	for _, file := range []string{"config/dev.yaml", "config/shared.yaml", "config/secrets/shared.env.age", "kustomize/overlays/shared/kustomization.yaml", "greeter/words/words.go", "web/page.js"} {
		other.Write(file, p.Read(file))
	}
	if again, sent := push(other); again != names || sent != 0 {
		t.Errorf("another machine sends %d blobs, and what it pushes is\n%sand not\n%s", sent, again, names)
	}
	if again := other.Must("render", "--env", "shared").Stdout; again != manifests {
		t.Errorf("another machine's manifests are\n%s\nand not\n%s", again, manifests)
	}
	p.Write("config/shared.yaml", strings.Replace(p.Read("config/shared.yaml"), r.host+"/pipeline", r.host+"/hello", 1))
}

// shareRecipes lets a new home have what this one has made of recipes, which takes
// minutes: base images, and no image of a project.
func shareRecipes(t *testing.T, home string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(home, ".cache", "zr")
	if err := os.MkdirAll(there, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(cache, "zr", "recipes"), filepath.Join(there, "recipes")); err != nil {
		t.Fatal(err)
	}
}

// noWayOut lets pods that push connect to nothing. The network of zr's own nodes refuses
// what a policy forbids, where others drop it.
const noWayOut = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: no-way-out, namespace: hello-shared}
spec:
  podSelector: {matchExpressions: [{key: zr.dev/pushes, operator: Exists}]}
  policyTypes: [Egress]
`

// testPods has pods near the registry make the layers that have changed: where they may
// reach it, where a NetworkPolicy keeps them from it, and where what they send is dropped.
func testPods(t *testing.T, p *lab.Project, r *countedRegistry) {
	p = as(t, p)
	nodes, words := nodesOf(p), "How do you do?"
	pullBy(t, nodes, r.near, fmt.Sprintf("server = \"http://%[1]s\"\n[host.\"http://%[1]s\"]\n", r.near))
	p.Write("config/shared.yaml", strings.Replace(p.Read("config/shared.yaml"), r.host, r.near, 1))
	say := func(next string) {
		p.Replace("greeter/words/words.go", words, next)
		words = next
	}
	up := func(next string) (said string, byPods, bytes int64) {
		t.Helper()
		say(next)
		byPods, bytes = r.byPods.Load(), r.bytes.Load()
		said = p.Must("up", "--target", "kind-zrtest-remote-dev", "-o", "json").Stdout
		if got := p.Kubectl("get", "--raw", "/api/v1/namespaces/hello-shared/services/greeter:http/proxy/greet"); got != "Welcome, world! "+words+"\n" {
			t.Errorf("the greeter says %q", got)
		}
		return said, r.byPods.Load() - byPods, r.bytes.Load() - bytes
	}
	up("How are you?") // the registry gets all of it, by this name
	if said, byPods, bytes := up("How was it?"); byPods != 1 || bytes > 100<<10 || strings.Contains(said, "travels as a whole") {
		t.Errorf("with a pod near the registry, pods sent %d layers, and this machine %d bytes:\n%s", byPods, bytes, said)
	}
	whole := func(with, next, why string) {
		t.Helper()
		if said, byPods, bytes := up(next); byPods != 0 || bytes < 1<<20 || !strings.Contains(said, "/hello/greeter travels as a whole: ") || !strings.Contains(said, why) {
			t.Errorf("with %s, pods sent %d layers, and this machine %d bytes:\n%s", with, byPods, bytes, said)
		}
	}
	p.KubectlInput(noWayOut, "apply", "-f", "-")
	whole("a NetworkPolicy", "How is it?", "connection refused")
	p.Kubectl("delete", "networkpolicy", "no-way-out", "-n", "hello-shared")
	host, port, _ := strings.Cut(r.near, ":")
	drop := func(what string) {
		for _, node := range nodes {
			lab.Output(t, "", lab.EngineName(), "exec", node, "iptables", what, "FORWARD", "-d", host, "-p", "tcp", "--dport", port, "-j", "DROP")
		}
	}
	drop("-I")
	whole("packets that are dropped", "How is that?", "i/o timeout")
	drop("-D")
	say("How do you do?")
	p.Write("config/shared.yaml", strings.Replace(p.Read("config/shared.yaml"), r.near, r.host, 1))
}
