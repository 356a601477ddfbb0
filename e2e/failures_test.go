package e2e

import (
	"net"
	"strings"
	"testing"

	"zr/internal/lab"
)

// TestFailures breaks a small project in every way that its users will, one
// after the other on one cluster: each is named clearly, has the right exit
// code, loses nothing, and is over once it is fixed.
func TestFailures(t *testing.T) {
	p := lab.NewProject(t, "examples/hello", "zrtest-hello", map[string]int{"greeter": 18080, "web": 18081})

	t.Run("a port in use", func(t *testing.T) {
		taken, err := net.Listen("tcp", "127.0.0.1:18081")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		p.Fails(1, []string{"18081", "cluster.ports"}, "up")
		if left := lab.Output(t, "", lab.EngineName(), "ps", "-aq", "--filter", "name=zrtest-hello"); left != "" {
			t.Errorf("containers were made: %s", left)
		}
	})
	t.Run("Ctrl-C while the cluster is made", func(t *testing.T) {
		r := p.Start("up")
		r.Wait(0, "the control plane to start", func(e lab.Event) bool {
			return e.Text("step") == "cluster" && strings.Contains(e.Text("detail"), "control-plane")
		})
		if code := r.Interrupt(); code != 130 {
			t.Errorf("exit code %d, want 130\n%s", code, r.Printed())
		}
		if left := lab.Output(t, "", lab.EngineName(), "ps", "-aq", "--filter", "name=zrtest-hello"); left != "" {
			t.Errorf("left half done: %s", left)
		}
	})
	t.Run("kill -9 while the cluster is made", func(t *testing.T) {
		r := p.Start("up")
		r.Wait(0, "the control plane to start", func(e lab.Event) bool {
			return e.Text("step") == "cluster" && strings.Contains(e.Text("detail"), "control-plane")
		})
		r.Kill()
		p.Must("up")
		greeted(t, "Hello, world!")
	})
	for _, during := range []string{"build", "images", "apply", "health/greeter"} {
		t.Run("kill -9 during "+during, func(t *testing.T) {
			p.Replace("greeter/words/words.go", "name + \"!", "name + \"!!") // something to do
			r := p.Start("up")
			r.Wait(0, "step "+during, func(e lab.Event) bool { return e.Text("type") == "step.started" && e.Text("step") == during })
			r.Kill()
			p.Must("up")
			says(t, "http://localhost:18080/greet", strings.Repeat("!", strings.Count(p.Read("greeter/words/words.go"), "!")))
		})
	}
	t.Run("bad YAML", func(t *testing.T) {
		defer restore(p, "config/dev.yaml")()
		p.Replace("config/dev.yaml", "dependsOn: [greeter]", "dependson: [greter]")
		p.Replace("config/dev.yaml", "project:", "projects:")
		p.Fails(2, []string{"config/dev.yaml:1:1", `did you mean "project"?`, `did you mean "dependsOn"?`}, "up")
	})
	t.Run("a missing overlay", func(t *testing.T) {
		defer restore(p, "config/dev.yaml")()
		p.Write("config/dev.yaml", p.Read("config/dev.yaml")+"overlay: kustomize/overlays/none\n")
		p.Fails(2, []string{"kustomize/overlays/none"}, "up")
	})
	t.Run("a manifest with an unknown field", func(t *testing.T) {
		defer restore(p, "kustomize/overlays/dev/web.yaml")()
		p.Replace("kustomize/overlays/dev/web.yaml", "periodSeconds: 2", "periodSecs: 2")
		r := p.ZR("up")
		if r.Code == 0 || !strings.Contains(r.Stderr, "periodSecs") {
			t.Errorf("exit code %d\n%s", r.Code, r.Stderr)
		}
	})
	t.Run("a failing build", func(t *testing.T) {
		defer restore(p, "greeter/main.go")()
		p.Replace("greeter/main.go", "slog.New(", "slog.Now(")
		p.Fails(1, []string{`building image "greeter"`, "greeter/main.go:", "undefined: slog.Now"}, "up")
		greeted(t, "Hello, world!")
	})
	t.Run("pods that a rule of the cluster forbids", func(t *testing.T) {
		defer restore(p, "kustomize/overlays/dev/greeter.yaml")()
		defer restore(p, "greeter/words/words.go")()
		p.KubectlInput(smallPods, "apply", "-f", "-")
		defer p.Kubectl("delete", "limitrange", "small", "-n", "hello")
		p.Replace("greeter/words/words.go", "name + \"!", "name + \"!!!!") // something to build
		p.Replace("kustomize/overlays/dev/greeter.yaml", "limits: {memory: 128Mi}", "limits: {memory: 512Mi}")
		r := p.Fails(1, []string{`Deployment "greeter"`, "maximum memory usage per Container is 256Mi", "limitrange"}, "up")
		if strings.Contains(r.Stdout, "apply kustomize") {
			t.Errorf("it was applied:\n%s", r.Stdout)
		}
	})
	t.Run("an image that does not exist", func(t *testing.T) {
		defer restore(p, "kustomize/overlays/dev/web.yaml")()
		p.Write("kustomize/overlays/dev/web.yaml", p.Read("kustomize/overlays/dev/web.yaml")+noSuchImage)
		p.Fails(1, []string{"no-such-image"}, "up")
	})
	t.Run("a crash loop", func(t *testing.T) {
		defer restore(p, "greeter/main.go")()
		p.Replace("greeter/main.go", "log.Info(\"listening\"", "panic(\"out of words\")\n\tlog.Info(\"listening\"")
		p.Write("config/dev.yaml", strings.Replace(p.Read("config/dev.yaml"), "build: {go: ./greeter}", "build: {go: ./greeter}\n    timeout: 60s", 1))
		p.Fails(3, []string{"greeter", "out of words"}, "up")
		greeted(t, "Hello, world!") // the version before still serves
		if r := p.ZR("status"); r.Code != 3 {
			t.Errorf("status: exit code %d\n%s", r.Code, r.Stdout)
		}
	})
	t.Run("all of it fixed", func(t *testing.T) {
		p.Must("up")
		greeted(t, "Hello, world!")
	})
	t.Run("the node is stopped", func(t *testing.T) {
		lab.Output(t, "", lab.EngineName(), "stop", "-t", "1", "zrtest-hello-dev-control-plane")
		p.Must("up")
		greeted(t, "Hello, world!")
	})
	t.Run("the cluster is deleted underneath", func(t *testing.T) {
		lab.Output(t, "", lab.EngineName(), "rm", "-f", "-v", "zrtest-hello-dev-control-plane")
		p.Fails(1, []string{"zr up"}, "status")
		p.Must("up")
		greeted(t, "Hello, world!")
	})
}

const smallPods = `apiVersion: v1
kind: LimitRange
metadata: {name: small, namespace: hello}
spec: {limits: [{type: Container, max: {memory: 256Mi}}]}
`

const noSuchImage = `---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ghost
spec:
  selector:
    matchLabels: {app.kubernetes.io/name: ghost}
  template:
    metadata:
      labels: {app.kubernetes.io/name: ghost}
    spec:
      containers:
        - {name: ghost, image: "no-such-image:1"}
`

// greeted waits until both services answer on this machine. A pod that was
// replaced may answer a little longer, until kube-proxy has heard of it, and
// the cluster's DNS needs a moment to know a new service.
func greeted(t *testing.T, want string) {
	t.Helper()
	says(t, "http://localhost:18080/greet", want)
	says(t, "http://localhost:18081/", "Hello")
}

func says(t *testing.T, url, want string) {
	t.Helper()
	lab.Eventually(t, url, func() string {
		if got := page(url); !strings.Contains(got, want) {
			return got
		}
		return ""
	})
}

// restore returns what puts a file back as it is now.
func restore(p *lab.Project, name string) func() {
	text := p.Read(name)
	return func() { p.Write(name, text) }
}

// TestUsage goes through what can be wrong with a command line.
func TestUsage(t *testing.T) {
	p := &lab.Project{T: t, Dir: t.TempDir()}
	p.Write("config/dev.yaml", "project: usage\nservices: {a: {}}\n")
	p.Fails(2, []string{`no command "upp"`, `did you mean "up"?`}, "upp")
	p.Fails(2, []string{"flag provided but not defined: -fast", "zr up --help"}, "up", "--fast")
	p.Fails(2, []string{`no environment "prod"`, "environments here: dev"}, "up", "-e", "prod")
	p.Fails(2, []string{`no environment runs on "aks"`, "kind (dev)"}, "up", "--target", "aks")
	p.Fails(2, []string{`"xml" is not a format`}, "status", "-o", "xml")
	p.Fails(2, []string{"up takes no arguments"}, "up", "api")
	p.Fails(2, []string{"this asks first", "--yes"}, "down", "--purge")
	p.Fails(2, []string{`no completion for the shell "tcsh"`}, "completion", "tcsh")
	(&lab.Project{T: t, Dir: t.TempDir()}).Fails(2, []string{"no config/<env>.yaml"}, "up")
	for _, args := range [][]string{{"--help"}, {"up", "--help"}, {"version"}, {"config", "schema"}, {"config", "validate"}, {"config", "show", "-o", "json"}, {"completion", "bash"}} {
		if r := p.ZR(args...); r.Code != 0 || r.Stdout == "" {
			t.Errorf("zr %s: exit code %d\n%s", strings.Join(args, " "), r.Code, r.Stderr)
		}
	}
}
