package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"zr/internal/lab"
)

// teller is a program that says how it was started. It is also its own probe,
// and what a migration and a sidecar with its image run.
const teller = `package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

const text = "one"

func main() {
	switch os.Args[1] {
	case "migrate":
		fmt.Println("migrated")
	case "side":
		time.Sleep(time.Hour)
	case "heal":
		http.Get("http://127.0.0.1:8080/sick?set=false")
	case "ready":
		answer, err := http.Get("http://127.0.0.1:8080/ready")
		if err != nil || answer.StatusCode != 200 {
			fmt.Println("not ready yet")
			os.Exit(1)
		}
	case "serve":
		serve()
	}
}

func serve() {
	var sick atomic.Bool
	http.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if sick.Load() {
			w.WriteHeader(503)
		}
	})
	http.HandleFunc("/sick", func(w http.ResponseWriter, r *http.Request) { sick.Store(r.FormValue("set") == "true") })
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		dir, _ := os.Getwd()
		fmt.Fprintf(w, "%s: %s in %s", text, strings.Join(os.Args[1:], " "), dir)
	})
	http.ListenAndServe(":8080", nil)
}
`

const tellerOverlay = `apiVersion: apps/v1
kind: Deployment
metadata: {name: greeter}
spec:
  selector: {matchLabels: {app: greeter}}
  template:
    metadata: {labels: {app: greeter}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      initContainers:
        - name: migrate
          image: greeter
          args: [migrate]
          securityContext: TIGHT
      containers:
        - name: side
          image: greeter
          args: [side]
          securityContext: TIGHT
        - name: greeter
          image: greeter
          args: [serve, "--greeting=$(GREETING)"]
          workingDir: /etc
          env: [{name: GREETING, valueFrom: {configMapKeyRef: {name: settings, key: GREETING}}}]
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {exec: {command: [/app/greeter, ready]}, periodSeconds: 1, failureThreshold: 2}
          securityContext: TIGHT
---
apiVersion: v1
kind: Service
metadata: {name: greeter}
spec:
  type: NodePort
  selector: {app: greeter}
  ports: [{port: 8080, targetPort: http, nodePort: 30080}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec:
  schedule: "* * * * *"
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
          restartPolicy: Never
          containers: [{name: tick, image: greeter, args: [migrate], securityContext: TIGHT}]
`

// TestTheManifestsProcess runs under zr dev as the manifest says: arguments,
// folder and probe; and the containers beside it run the release program.
func TestTheManifestsProcess(t *testing.T) {
	p := lab.NewProject(t, "examples/hello", "zrtest-process", map[string]int{"greeter": 18140})
	p.Write("greeter/main.go", teller)
	p.Write("kustomize/overlays/dev/greeter.yaml", strings.ReplaceAll(tellerOverlay, "TIGHT", tight))
	p.Replace("kustomize/overlays/dev/kustomization.yaml", "  - web.yaml\n", "")
	p.Replace("config/dev.yaml", "  web:\n    build: {node: web} # the folder of its package.json\n    dependsOn: [greeter] # waited for after it\n", "")
	dev := p.Start("dev")
	dev.Wait(0, "the stack to be ready", ofType("ready"))
	const url = "http://localhost:18140"
	const started = ": serve --greeting=Hello in /etc"
	says(t, url, "one"+started)

	t.Run("a save", func(t *testing.T) {
		mark := dev.Mark()
		p.Replace("greeter/main.go", `text = "one"`, `text = "two"`)
		if trace := dev.Wait(mark, "the save", reloaded("greeter")); trace.Text("error") != "" {
			t.Fatalf("trace: %v", trace)
		}
		says(t, url, "two"+started)
	})
	t.Run("containers beside it", func(t *testing.T) {
		states := p.Kubectl("get", "pods", "-n", "hello", "-l", "app=greeter", "-o",
			"jsonpath={range .items[0].status.containerStatuses[*]}{.name}:{.ready}:{.restartCount} {end}{.items[0].status.initContainerStatuses[0].state.terminated.exitCode}")
		if states != "greeter:true:0 side:true:0 0" {
			t.Errorf("the containers are %q", states)
		}
		p.Kubectl("create", "job", "-n", "hello", "--from=cronjob/tick", "now")
		p.Kubectl("wait", "-n", "hello", "--for=condition=complete", "--timeout=120s", "job/now")
	})
	t.Run("a setting", func(t *testing.T) {
		p.Replace("config/dev.yaml", "GREETING: Hello", "GREETING: Welcome")
		says(t, url, "two: serve --greeting=Welcome in /etc")
		p.Replace("config/dev.yaml", "GREETING: Welcome", "GREETING: Hello")
		says(t, url, "two"+started)
	})
	t.Run("a version that its probe does not call ready", func(t *testing.T) {
		mark := dev.Mark()
		p.Replace("greeter/main.go", "StatusCode != 200", "StatusCode != 201")
		trace := dev.Wait(mark, "the verdict", reloaded("greeter"))
		if trace["rolledBack"] != true || !strings.Contains(trace.Text("error"), "not ready yet") {
			t.Errorf("trace: %v", trace)
		}
		says(t, url, "two"+started)
		mark = dev.Mark()
		p.Replace("greeter/main.go", "StatusCode != 201", "StatusCode != 200")
		dev.Wait(mark, "the problem to be cleared", func(e lab.Event) bool { return e.Text("type") == "problem" && e["cleared"] == true })
	})
	t.Run("a save that fixes what its Service did not lead to any more", func(t *testing.T) {
		text := "two"
		for i := range 5 {
			mark := dev.Mark()
			set(t, url+"/sick?set=true")
			dev.Wait(mark, "zr's word", state("greeter", "unhealthy"))
			lab.Eventually(t, "its pod to leave the Service", func() string {
				return p.Kubectl("get", "endpointslices", "-n", "hello", "-l", "kubernetes.io/service-name=greeter", "-o", "jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].addresses}")
			})
			mark = dev.Mark()
			next := fmt.Sprintf("fixed %d", i)
			p.Replace("greeter/main.go", fmt.Sprintf("text = %q", text), fmt.Sprintf("text = %q", next))
			if trace := dev.Wait(mark, "the save", reloaded("greeter")); trace.Text("error") != "" {
				t.Fatalf("trace: %v", trace)
			}
			if got := page(url); got != next+started { // at once
				t.Errorf("zr says that it is live, and the answer is %q", got)
			}
			text = next
		}
		mark := dev.Mark()
		p.Replace("greeter/main.go", fmt.Sprintf("text = %q", text), `text = "two"`)
		dev.Wait(mark, "the save", reloaded("greeter"))
	})
	t.Run("a process that stops to be ready", func(t *testing.T) {
		mark := dev.Mark()
		set(t, url+"/sick?set=true")
		e := dev.Wait(mark, "zr's word", state("greeter", "unhealthy"))
		if !strings.Contains(e.Text("reason"), "not ready yet") {
			t.Errorf("state: %v", e)
		}
		ready := []string{"get", "pods", "-n", "hello", "-l", "app=greeter", "-o", `jsonpath={.items[0].status.conditions[?(@.type=="Ready")].status}`}
		lab.Eventually(t, "the kubelet's word", func() string {
			if got := p.Kubectl(ready...); got != "False" {
				return got
			}
			return ""
		})
		mark = dev.Mark()
		// Its Service leads nowhere now.
		p.Kubectl("exec", "-n", "hello", "deploy/greeter", "-c", "side", "--", "/app/greeter", "heal")
		dev.Wait(mark, "zr's word again", state("greeter", "healthy"))
		says(t, url, "two"+started)
	})
}

const tight = "{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}"

func state(service, want string) func(lab.Event) bool {
	return func(e lab.Event) bool {
		return e.Text("type") == "service.state" && e.Text("service") == service && e.Text("state") == want
	}
}

func set(t *testing.T, url string) {
	t.Helper()
	client := lab.Client(10 * time.Second)
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
}
