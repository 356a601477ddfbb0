package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"

	"zr/internal/lab"
)

// inside are Services of all types for the pods of the web.
const inside = `---
apiVersion: v1
kind: Service
metadata: {name: web-public}
spec: {type: NodePort, selector: {app.kubernetes.io/name: web}, ports: [{name: http, port: 20110, targetPort: http, nodePort: 30090}]}
---
apiVersion: v1
kind: Service
metadata: {name: web-balanced}
spec: {type: LoadBalancer, selector: {app.kubernetes.io/name: web}, ports: [{port: 20111, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: web-inside}
spec: {selector: {app.kubernetes.io/name: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: web-pods}
spec: {clusterIP: None, selector: {app.kubernetes.io/name: web}, ports: [{port: 80, targetPort: 8081}]}
`

// TestPortsOfAClusterThatIsThere changes every port that a user can change on a
// cluster that runs: each URL that zr prints answers, and the cluster stays.
func TestPortsOfAClusterThatIsThere(t *testing.T) {
	p := lab.NewProject(t, "examples/hello", "zrtest-ports", map[string]int{"greeter": 20101, "web": 20102})
	reached(t, p, map[string]int{"greeter": 20101, "web": 20102})
	node := nodeID(t, p)
	p.Kubectl("create", "configmap", "kept", "-n", "default")

	t.Run("another port of this machine", func(t *testing.T) {
		p.Replace("config/dev.yaml", "web: 20102", "web: 20103")
		reached(t, p, map[string]int{"greeter": 20101, "web": 20103})
		if r := relayOf(t, p); len(r.Ports) != 1 || r.Ports[0].Host != 20103 {
			t.Errorf("relayed are %+v", r.Ports)
		}
	})
	t.Run("another nodePort", func(t *testing.T) {
		p.Replace("kustomize/overlays/dev/greeter.yaml", "nodePort: 30080", "nodePort: 30085")
		reached(t, p, map[string]int{"greeter": 20101, "web": 20103})
		p.Replace("kustomize/overlays/dev/greeter.yaml", "nodePort: 30085", "nodePort: 30080")
		reached(t, p, map[string]int{"greeter": 20101, "web": 20103})
	})
	all := map[string]int{"greeter": 20101, "web": 20103, "web-public": 20110, "web-balanced": 20111, "web-inside": 20112, "web-pods": 20113}
	t.Run("Services of every type", func(t *testing.T) {
		p.Write("kustomize/overlays/dev/web.yaml", p.Read("kustomize/overlays/dev/web.yaml")+inside)
		p.Replace("config/dev.yaml", "web: 20103", "web: 20103\n    web-inside: 20112\n    web-pods: 20113")
		reached(t, p, all)
		if out := p.Must("diff").Stdout; strings.Contains(out, "created") || strings.Contains(out, "configured") {
			t.Errorf("diff right after up:\n%s", out)
		}
	})
	t.Run("a relay that was killed", func(t *testing.T) {
		before := relayOf(t, p)
		if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if after := relayOf(t, p); after.PID == before.PID || after.PID == 0 { // status has it run again
			t.Errorf("the relay is %d after %d", after.PID, before.PID)
		}
		reached(t, p, all)
	})
	t.Run("a port that another program has", func(t *testing.T) {
		taken, err := net.Listen("tcp", "127.0.0.1:20114")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		defer restore(p, "config/dev.yaml")()
		p.Replace("config/dev.yaml", "web: 20103", "web: 20114")
		p.Fails(1, []string{"port 20114 is in use by process", "cluster.ports.web"}, "up")
	})
	t.Run("another environment on the cluster", func(t *testing.T) { testNeighbour(t, p, all) })
	t.Run("saves under zr dev", func(t *testing.T) { testPortsOfDev(t, p) })
	t.Run("down ends the relay", func(t *testing.T) {
		relay := relayOf(t, p)
		p.Must("down")
		gone(t, relay.PID)
		reached(t, p, all)
	})
	if now := nodeID(t, p); now != node {
		t.Errorf("the cluster was made anew: node %s after %s", now, node)
	}
	p.Kubectl("get", "configmap", "kept", "-n", "default")

	t.Run("a cluster that was deleted underneath", func(t *testing.T) {
		relay := relayOf(t, p)
		lab.Output(t, "", lab.EngineName(), "rm", "-f", "-v", p.Name+"-dev-control-plane")
		reached(t, p, all) // kind maps them now, at which the relay listened
		gone(t, relay.PID)
	})
}

// testNeighbour brings a second project up on the cluster of the first: what the
// first has is refused, with both named, and with ports of its own each has its own.
func testNeighbour(t *testing.T, p *lab.Project, ports map[string]int) {
	other := lab.NewProject(t, "examples/hello", "zrtest-ports-b", map[string]int{"greeter": 20121, "web": 20122})
	other.Replace("config/dev.yaml", "cluster:\n", "cluster:\n  name: zrtest-ports-dev\n")
	for _, file := range []string{"kustomization", "namespace"} {
		other.Replace("kustomize/overlays/dev/"+file+".yaml", "hello", "hello-b")
	}
	t.Cleanup(func() { other.Must("down", "--purge", "--yes") })
	other.Fails(2, []string{`nodePort 30081 of service "web"`, `namespace "hello" of environment "zrtest-ports-dev"`}, "up")
	other.Replace("kustomize/overlays/dev/greeter.yaml", ", nodePort: 30080", "")
	other.Replace("kustomize/overlays/dev/web.yaml", ", nodePort: 30081", "")
	for port, words := range map[string]string{"20101": "leads to service \"greeter\" in namespace \"hello\"", "20110": `is relayed for environment "zrtest-ports-dev"`} {
		restored := restore(other, "config/dev.yaml")
		other.Replace("config/dev.yaml", "greeter: 20121", "greeter: "+port)
		if r := other.ZR("up"); r.Code == 0 || !strings.Contains(r.Stderr, words) {
			t.Errorf("with port %s: exit code %d\n%s", port, r.Code, r.Stderr)
		}
		restored()
	}
	if all := p.Kubectl("get", "services", "-A"); strings.Contains(all, "hello-b") {
		t.Errorf("something was applied:\n%s", all)
	}
	reached(t, other, map[string]int{"greeter": 20121, "web": 20122})
	reached(t, p, ports)
}

// testPortsOfDev saves a changed port and a new Service while `zr dev` runs.
func testPortsOfDev(t *testing.T, p *lab.Project) {
	dev := p.Start("dev")
	dev.Wait(0, "the stack to be ready", func(e lab.Event) bool { return e.Text("type") == "ready" })
	defer func() {
		if code := dev.Interrupt(); code != 130 {
			t.Errorf("zr dev: exit code %d", code)
		}
	}()
	tells := func(mark int, url string) {
		t.Helper()
		dev.Wait(mark, url+" to be told", func(e lab.Event) bool { return e.Text("type") == "notice" && strings.Contains(e.Text("text"), url) })
		answers(t, url)
	}
	mark := dev.Mark()
	p.Replace("config/dev.yaml", "web: 20103", "web: 20104")
	tells(mark, "http://localhost:20104")
	mark = dev.Mark()
	p.Write("kustomize/overlays/dev/greeter.yaml", p.Read("kustomize/overlays/dev/greeter.yaml")+
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: greeter-more}\nspec: {type: NodePort, selector: {app.kubernetes.io/name: greeter}, ports: [{port: 20115, targetPort: http}]}\n")
	tells(mark, "http://localhost:20115")
	relay := relayOf(t, p)
	mark = dev.Mark()
	if err := syscall.Kill(relay.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	dev.Wait(mark, "the relay to run again", func(e lab.Event) bool { return strings.Contains(e.Text("text"), "relayed by process") })
	answers(t, "http://localhost:20104")
	mark = dev.Mark()
	p.Replace("config/dev.yaml", "web: 20104", "web: 20103")
	tells(mark, "http://localhost:20103")
}

// reached runs up, and asks every URL that it prints. Status says the same.
func reached(t *testing.T, p *lab.Project, want map[string]int) {
	t.Helper()
	var status struct{ Endpoints map[string]string }
	r := p.Must("up", "-o", "json")
	if err := json.Unmarshal([]byte(p.Must("status", "-o", "json").Stdout), &status); err != nil {
		t.Fatal(err)
	}
	told, _ := r.Events[len(r.Events)-1]["endpoints"].(map[string]any)
	for service, port := range want {
		url := fmt.Sprintf("http://localhost:%d", port)
		if told[service] != url || status.Endpoints[service] != url {
			t.Errorf("%s is at %v, by status at %s, want %s", service, told[service], status.Endpoints[service], url)
		}
		answers(t, url)
	}
}

// answers asks a service of hello, which has a health page.
func answers(t *testing.T, url string) {
	t.Helper()
	lab.Get(t, url+"/health")
}

type relayStatus struct {
	PID   int
	Ports []struct{ Host int }
}

// relayOf returns the relay that status tells of.
func relayOf(t *testing.T, p *lab.Project) relayStatus {
	t.Helper()
	var status struct{ Relay relayStatus }
	if err := json.Unmarshal([]byte(p.Must("status", "-o", "json").Stdout), &status); err != nil {
		t.Fatal(err)
	}
	if status.Relay.PID == 0 {
		t.Fatal("nothing is relayed")
	}
	return status.Relay
}

func nodeID(t *testing.T, p *lab.Project) string {
	t.Helper()
	return lab.Output(t, "", lab.EngineName(), "inspect", "--format", "{{.Id}}", p.Name+"-dev-control-plane")
}

// gone waits until a process that was ended has been taken away: its parent is
// not this test.
func gone(t *testing.T, pid int) {
	t.Helper()
	lab.Eventually(t, "the relay to be gone", func() string {
		if err := syscall.Kill(pid, 0); err == nil {
			return fmt.Sprintf("process %d is still there", pid)
		}
		return ""
	})
}
