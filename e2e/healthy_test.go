package e2e

import (
	"strings"
	"testing"

	"zr/internal/lab"
)

// TestHealthyIsAProof takes a small stack apart from outside and lets it crash:
// zr up and zr status say what is the matter, each time that they are asked.
func TestHealthyIsAProof(t *testing.T) {
	p := lab.NewProject(t, "examples/hello", "zrtest-health-proof", map[string]int{"greeter": 20210, "web": 20211})
	p.Must("up")
	kubectl := func(args ...string) { t.Helper(); p.Kubectl(append([]string{"-n", "hello"}, args...)...) }

	t.Run("scaled to nothing by somebody", func(t *testing.T) {
		kubectl("scale", "deployment", "web", "--replicas=0")
		kubectl("wait", "--for=delete", "pod", "-l", "app.kubernetes.io/name=web", "--timeout=60s")
		for _, verb := range []string{"status", "up"} {
			r := p.ZR(verb)
			if said := r.Stdout + r.Stderr; r.Code != 3 || !strings.Contains(said, `Deployment "web" was scaled to 0, and its manifest asks for 1`) || strings.Contains(said, "Ready (") {
				t.Errorf("zr %s: exit code %d\n%s", verb, r.Code, said)
			}
		}
		kubectl("scale", "deployment", "web", "--replicas=1")
		p.Must("up")
	})
	t.Run("a Service that is gone, or selects nothing", func(t *testing.T) {
		kubectl("delete", "service", "web")
		if r := p.ZR("status"); r.Code != 3 || !strings.Contains(r.Stdout, `Service "web" is not in namespace "hello"`) {
			t.Errorf("exit code %d\n%s", r.Code, r.Stdout)
		}
		p.Must("up")
		kubectl("patch", "service", "web", "-p", `{"spec":{"selector":{"by":"hand"}}}`)
		if r := p.ZR("status"); r.Code != 3 || !strings.Contains(r.Stdout, `Service "web" selects none of its pods`) {
			t.Errorf("exit code %d\n%s", r.Code, r.Stdout)
		}
		kubectl("patch", "service", "web", "-p", `{"spec":{"selector":{"by":null}}}`)
		p.Must("status")
	})
	t.Run("a node that leads its Service elsewhere", func(t *testing.T) {
		defer restore(p, "config/dev.yaml")()
		p.Replace("config/dev.yaml", "greeter:\n", "greeter:\n    timeout: 10s\n")
		p.Replace("config/dev.yaml", "GREETING: Hello", "GREETING: Good morning")
		defer p.InNode("pkill", "-CONT", "-x", "kube-proxy")
		p.InNode("pkill", "-STOP", "-x", "kube-proxy")
		p.Fails(3, []string{"kube-proxy of node", `does not lead Service "greeter" to its pods yet`}, "up")
		p.InNode("pkill", "-CONT", "-x", "kube-proxy")
		p.Must("up")
	})
	t.Run("a Service that leads where nobody listens", func(t *testing.T) {
		defer restore(p, "config/dev.yaml")()
		defer restore(p, "kustomize/overlays/dev/greeter.yaml")()
		p.Replace("config/dev.yaml", "greeter:\n", "greeter:\n    timeout: 10s\n")
		p.Replace("kustomize/overlays/dev/greeter.yaml", "targetPort: http", "targetPort: 9")
		for _, verb := range []string{"up", "status", "up"} {
			r := p.ZR(verb)
			if said := r.Stdout + r.Stderr; r.Code != 3 || !strings.Contains(said, "nothing accepts connections at") || !strings.Contains(said, `:9, where Service "greeter" leads`) {
				t.Errorf("zr %s: exit code %d\n%s", verb, r.Code, said)
			}
		}
	})
	t.Run("stopped, as its manifest wants it", func(t *testing.T) {
		defer restore(p, "kustomize/overlays/dev/web.yaml")()
		p.Replace("kustomize/overlays/dev/web.yaml", "spec:\n", "spec:\n  replicas: 0\n")
		p.Must("up")
		r := p.Must("status")
		if !strings.Contains(r.Stdout, "stopped") || !strings.Contains(r.Stdout, "its manifest asks for 0 replicas") || strings.Count(r.Stdout, "healthy") != 1 {
			t.Errorf("the status is\n%s", r.Stdout)
		}
	})
	t.Run("a sidecar that ends over and over", func(t *testing.T) {
		defer restore(p, "kustomize/overlays/dev/web.yaml")()
		p.Replace("kustomize/overlays/dev/web.yaml", "        - name: web\n", "        - {name: beside, image: web, command: [node, -e, \"setTimeout(() => process.exit(3), 1000)\"], securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}\n        - name: web\n")
		p.ZR("up") // the first run of the sidecar may outlast it
		lab.Eventually(t, "the sidecar ends", func() string {
			if strings.Contains(p.ZR("status").Stdout, `container "beside" crashed with exit code 3`) {
				return ""
			}
			return "it is not said"
		})
		for range 6 {
			if r := p.ZR("status"); r.Code != 3 || !strings.Contains(r.Stdout, `container "beside" crashed with exit code 3`) {
				t.Errorf("exit code %d\n%s", r.Code, r.Stdout)
			}
		}
		p.Fails(3, []string{`container "beside" crashed with exit code 3`}, "up")
	})
	t.Run("a crash at the start of zr dev", func(t *testing.T) {
		defer restore(p, "greeter/main.go")()
		p.Replace("greeter/main.go", "log.Info(\"listening\"", "panic(\"out of words\")\n\tlog.Info(\"listening\"")
		dev := p.Start("dev")
		problem := dev.Wait(0, "the crash to be told", func(e lab.Event) bool { return e.Text("type") == "problem" })
		if said := problem.Text("text"); !strings.Contains(said, "exited with status 2") || !strings.Contains(said, "panic: out of words") {
			t.Errorf("it says %s", said)
		}
		if r := p.ZR("status"); r.Code != 3 || !strings.Contains(r.Stdout, "exited with status 2") || !strings.Contains(r.Stdout, "panic: out of words") {
			t.Errorf("zr status: exit code %d\n%s", r.Code, r.Stdout)
		}
	})
}
