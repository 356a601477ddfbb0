package e2e

import (
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"zr/internal/lab"
)

// TestDisturbed does to a running `zr dev` what its users and their colleagues
// do beside saving code, on one cluster.
func TestDisturbed(t *testing.T) {
	p := lab.NewProject(t, "examples/hello", "zrtest-disturbed", map[string]int{"greeter": 20600, "web": 20601})
	const greeter = "http://localhost:20600"
	const listening = `log.Info("listening"`
	p.Replace("greeter/main.go", listening, "panic(\"out of words\")\n\t"+listening)
	dev := p.Start("dev")
	pods := func() string {
		return p.Kubectl("get", "pods", "-n", "hello", "-o", `jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].restartCount}{"\n"}{end}`)
	}

	t.Run("a crash at the start is fixed by a save within the gate", func(t *testing.T) {
		crash := dev.Wait(0, "the crash to be named", problemOf("pod/greeter"))
		if text := crash.Text("text"); !strings.Contains(text, "out of words") {
			t.Errorf("problem: %s", text)
		}
		mark := dev.Mark()
		p.Replace("greeter/main.go", "panic(\"out of words\")\n\t", "")
		if trace := dev.Wait(mark, "the save to be live", reloaded("greeter")); trace.Text("error") != "" {
			t.Errorf("trace: %v", trace)
		}
		dev.Wait(mark, "the crash to be over", cleared("pod/greeter"))
		dev.Wait(mark, "the stack to be ready", ofType("ready"))
		if n := dev.Count(0, ofType("ready")); n != 1 {
			t.Errorf("ready was said %d times", n)
		}
	})
	t.Run("a comment in a manifest replaces no pod", func(t *testing.T) {
		mark := dev.Mark()
		p.Replace("greeter/words/words.go", `"!\n"`, `"! Edited.\n"`)
		dev.Wait(mark, "the greeter to be live", reloaded("greeter"))
		before := pods()
		mark = dev.Mark()
		p.Write("kustomize/overlays/dev/kustomization.yaml", "# of the greeter\n"+p.Read("kustomize/overlays/dev/kustomization.yaml"))
		if trace := dev.Wait(mark, "the manifests to be applied", reloaded("manifests")); trace.Text("error") != "" || trace.Text("action") != "apply" {
			t.Errorf("trace: %v", trace)
		}
		if after := pods(); after != before {
			t.Errorf("pods before:\n%s\nand after:\n%s", before, after)
		}
		if got := lab.Get(t, greeter+"/greet"); got != "Hello, world! Edited.\n" {
			t.Errorf("the greeter says %q", got)
		}
	})
	t.Run("a setting brings a new pod the code that was saved", func(t *testing.T) {
		mark := dev.Mark()
		p.Replace("config/dev.yaml", "GREETING: Hello", "GREETING: Good day")
		dev.Wait(mark, "the manifests to be applied", reloaded("manifests"))
		says(t, greeter+"/greet", "Good day, world! Edited.")
	})
	t.Run("wrong manifests stop no reload", func(t *testing.T) {
		for name, broken := range map[string]string{"kustomize/overlays/dev/greeter.yaml": "kind: [\n", "config/dev.yaml": "project: [\n"} {
			good, mark := p.Read(name), dev.Mark()
			p.Write(name, broken)
			failed := dev.Wait(mark, "the manifests to be refused", reloaded("manifests"))
			if failed.Text("error") == "" {
				t.Errorf("%s: trace %v", name, failed)
			}
			dev.Wait(mark, "the state of the manifests", func(e lab.Event) bool { return stateOf("manifests")(e) && e.Text("state") == "failed" })
			edited := dev.Mark()
			p.Replace("greeter/words/words.go", "Edited", "Edited again")
			if trace := dev.Wait(edited, "the greeter to be live", reloaded("greeter")); trace.Text("error") != "" {
				t.Errorf("trace: %v", trace)
			}
			says(t, greeter+"/greet", "Edited again")
			p.Replace("greeter/words/words.go", "Edited again", "Edited")
			if n := dev.Count(mark, func(e lab.Event) bool { return stateOf("manifests")(e) && e.Text("state") == "healthy" }); n > 0 {
				t.Errorf("%s: manifests are called healthy", name)
			}
			mark = dev.Mark()
			p.Write(name, good)
			dev.Wait(mark, "the problem to be over", cleared("manifests"))
		}
	})
	t.Run("code that does not compile keeps no manifest from being applied", func(t *testing.T) {
		good, mark := p.Read("greeter/main.go"), dev.Mark()
		p.Replace("greeter/main.go", "slog.New(", "slog.Now(")
		dev.Wait(mark, "the compiler's words", problemOf("greeter"))
		before := pods()
		mark = dev.Mark()
		p.Replace("kustomize/overlays/dev/kustomization.yaml", "# of the greeter", "# of the web")
		if trace := dev.Wait(mark, "the manifests to be applied", reloaded("manifests")); trace.Text("error") != "" {
			t.Errorf("trace: %v", trace)
		}
		if after := pods(); after != before {
			t.Errorf("pods before:\n%s\nand after:\n%s", before, after)
		}
		p.Write("greeter/main.go", good)
		dev.Wait(mark, "the problem to be over", cleared("greeter"))
	})
	t.Run("up and down beside it are refused", func(t *testing.T) {
		process := "`zr dev` runs for zrtest-disturbed-dev, as process " + strconv.Itoa(dev.PID())
		p.Fails(1, []string{process, "Ctrl-C"}, "up")
		p.Fails(1, []string{process, "Ctrl-C"}, "down")
		p.Fails(1, []string{process, "Ctrl-C"}, "down", "--purge", "--yes")
	})
	t.Run("what is scaled is one pod again", func(t *testing.T) {
		mark := dev.Mark()
		p.Kubectl("scale", "-n", "hello", "deployment/greeter", "--replicas=3")
		dev.Wait(mark, "it to be told", func(e lab.Event) bool {
			return e.Text("type") == "notice" && strings.HasPrefix(e.Text("text"), "deployment/greeter: somebody scaled it to 3 pods")
		})
		dev.Wait(mark, "the manifests to be applied", reloaded("manifests"))
		lab.Eventually(t, "the pods", func() string {
			if got := strings.Fields(p.Kubectl("get", "pods", "-n", "hello", "-l", "app.kubernetes.io/name=greeter", "-o", "name")); len(got) != 1 {
				return strings.Join(got, " ")
			}
			return ""
		})
		edited := dev.Mark()
		p.Replace("greeter/words/words.go", "Edited", "Scaled")
		if trace := dev.Wait(edited, "the greeter to be live", reloaded("greeter")); trace.Text("error") != "" {
			t.Errorf("trace: %v", trace)
		}
		says(t, greeter+"/greet", "Scaled")
	})
	t.Run("a restarted rollout gets what was saved before it is healthy", func(t *testing.T) {
		mark, want := dev.Mark(), build(t, greeter)
		p.Kubectl("rollout", "restart", "-n", "hello", "deployment/greeter")
		dev.Wait(mark, "the loss", func(e lab.Event) bool { return stateOf("greeter")(e) && e.Text("state") == "starting" })
		healthy := dev.Wait(mark, "the new pod", func(e lab.Event) bool { return stateOf("greeter")(e) && e.Text("state") == "healthy" })
		if healthy.Text("build") != want {
			t.Errorf("build %s is called healthy, what was saved is %s", healthy.Text("build"), want)
		}
		says(t, greeter+"/greet", "Scaled")
	})
	t.Run("what somebody else applied and deleted is told", func(t *testing.T) {
		mark := dev.Mark()
		p.Kubectl("patch", "-n", "hello", "deployment/greeter", "--type=json", "-p", `[{"op": "remove", "path": "/spec/template/metadata/labels/zr.dev~1dev"}]`)
		dev.Wait(mark, "it to be told", problemOf("deployment/greeter"))
		p.Kubectl("delete", "-n", "hello", "deployment/web")
		dev.Wait(mark, "it to be told", problemOf("deployment/web"))
		p.Replace("kustomize/overlays/dev/kustomization.yaml", "# of the web", "# of both")
		dev.Wait(mark, "the greeter to be taken back", cleared("deployment/greeter"))
		dev.Wait(mark, "the web to be back", cleared("deployment/web"))
		says(t, "http://localhost:20601/", "Good day, ")
	})
	t.Run("a namespace that was deleted is brought up again", func(t *testing.T) {
		mark := dev.Mark()
		p.Kubectl("delete", "namespace", "hello", "--wait=false")
		dev.Wait(mark, "it to be told", func(e lab.Event) bool {
			return e.Text("type") == "notice" && strings.HasPrefix(e.Text("text"), `namespace "hello" was deleted`)
		})
		dev.Wait(mark, "the stack to be ready", ofType("ready"))
		says(t, greeter+"/greet", "Scaled")
		edited := dev.Mark()
		p.Replace("greeter/words/words.go", "Scaled", "Back")
		dev.Wait(edited, "the greeter to be live", reloaded("greeter"))
		says(t, greeter+"/greet", "Back")
	})
	// Tests that nohup started pass on that they ignore SIGHUP, and zr honours that.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for name, end := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "the end of the terminal": syscall.SIGHUP} {
		t.Run(name+" ends it in every phase, and nothing stays", func(t *testing.T) {
			for phase, reached := range map[string]func(lab.Event) bool{
				"the build": ofType("step.started"), "the apply": stepDone("cluster"), "the gate": stepDone("apply"), "the loop": ofType("ready"),
			} {
				dev.Wait(0, phase, reached)
				if code := dev.Signal(end); code != 130 {
					t.Errorf("in %s: exit code %d", phase, code)
				}
				if left := scratch(t); left != "" {
					t.Errorf("in %s: %s is left", phase, left)
				}
				dev = p.Start("dev")
			}
		})
	}
	t.Run("what a killed one leaves is cleared away", func(t *testing.T) {
		dev.Wait(0, "the stack to be ready", ofType("ready"))
		p.Replace("greeter/words/words.go", "Back", "Killed")
		dev.Wait(0, "the greeter to be live", reloaded("greeter"))
		dev.Kill()
		dev = p.Start("dev")
		dev.Wait(0, "the stack to be ready", ofType("ready"))
		says(t, greeter+"/greet", "Killed")
		if code := dev.Interrupt(); code != 130 || scratch(t) != "" {
			t.Errorf("exit code %d, %q is left", code, scratch(t))
		}
	})
}

// scratch is the folder for compiled programs, or "" where it is gone.
func scratch(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "zr", "dev", "zrtest-disturbed-dev")
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

func stepDone(step string) func(lab.Event) bool {
	return func(e lab.Event) bool { return e.Text("type") == "step.done" && e.Text("step") == step }
}

func problemOf(source string) func(lab.Event) bool {
	return func(e lab.Event) bool {
		return e.Text("type") == "problem" && e.Text("source") == source && e["cleared"] != true
	}
}

func cleared(source string) func(lab.Event) bool {
	return func(e lab.Event) bool {
		return e.Text("type") == "problem" && e.Text("source") == source && e["cleared"] == true
	}
}

func stateOf(service string) func(lab.Event) bool {
	return func(e lab.Event) bool { return e.Text("type") == "service.state" && e.Text("service") == service }
}
