package e2e

import (
	"strings"
	"testing"

	"zr/internal/lab"
)

// TestEngine takes a project through a short day on the engine that $ZR_ENGINE
// names. `make test-e2e` runs it once for each of two engines.
func TestEngine(t *testing.T) {
	p := lab.NewProject(t, "examples/hello", "zrtest-engine", map[string]int{"greeter": 18096, "web": 18097})
	const greeter = "http://localhost:18096"
	p.Must("up")
	if got := lab.Get(t, greeter+"/greet"); got != "Hello, world!\n" {
		t.Errorf("after up the greeter says %q", got)
	}
	if got := p.Must("doctor").Stdout; !strings.HasPrefix(got, "ok    container engine: "+lab.EngineName()+" ") {
		t.Errorf("the engine is not %s:\n%s", lab.EngineName(), got)
	}

	dev := p.Start("dev")
	dev.Wait(0, "the stack to be ready", ofType("ready"))
	mark := dev.Mark()
	p.Replace("greeter/words/words.go", `"!\n"`, `", on any engine!\n"`)
	if trace := dev.Wait(mark, "the save to be live", reloaded("greeter")); trace.Text("error") != "" {
		t.Errorf("trace: %v", trace)
	}
	const said = "Hello, world, on any engine!\n"
	if got := lab.Get(t, greeter+"/greet"); got != said {
		t.Errorf("after a save the greeter says %q", got)
	}
	mark = dev.Mark()
	p.Replace("greeter/main.go", `log.Info("listening"`, "panic(\"out of words\")\n\tlog.Info(\"listening\"")
	if trace := dev.Wait(mark, "the bad save to be taken back", reloaded("greeter")); trace["rolledBack"] != true {
		t.Errorf("trace: %v", trace)
	}
	if got := lab.Get(t, greeter+"/greet"); got != said {
		t.Errorf("after a bad save the greeter says %q", got)
	}
	dev.Interrupt()

	p.Must("down", "--purge", "--yes")
	if left := lab.Output(t, "", lab.EngineName(), "ps", "-a", "-q", "--filter", "name="+p.Name); left != "" {
		t.Errorf("containers are left after a purge: %s", left)
	}
}
