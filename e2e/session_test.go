package e2e

import (
	"strings"
	"testing"

	"zr/internal/lab"
)

// TestSession does to a running `zr dev` what its users and their colleagues
// do beside saving code, on one cluster.
func TestSession(t *testing.T) {
	p := lab.NewProject(t, "examples/hello", "zrtest-session", map[string]int{"greeter": 20600, "web": 20601})
	const greeter = "http://localhost:20600"
	const listening = `log.Info("listening"`
	p.Replace("greeter/main.go", listening, "panic(\"out of words\")\n\t"+listening)
	dev := p.Start("dev")
	pods := func() string {
		return p.Kubectl("get", "pods", "-n", "hello", "-o", `jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].restartCount}{"\n"}{end}`)
	}

	t.Run("a crash at the start is mended by a save within the gate", func(t *testing.T) {
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
