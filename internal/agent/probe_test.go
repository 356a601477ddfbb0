package agent_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zr/internal/agent/agenttest"
	"zr/internal/testkit"
	"zr/pkg/agentspec"
	"zr/pkg/agentspec/wire"
	"zr/pkg/probe"
)

// TestAProcessThatStopsToAnswer is said while it is so, and no longer.
func TestAProcessThatStopsToAnswer(t *testing.T) {
	sick := filepath.Join(t.TempDir(), "sick")
	_, c, _ := running(t, agenttest.Behaviour{"id": "one", "sickWith": sick})
	for range 3 {
		testkit.WriteFile(t, sick, "")
		s := c.await("not ready", func(s wire.Status) bool { return s.Phase == wire.Unready })
		if !strings.Contains(s.Reason, "503") || s.Pid == 0 {
			t.Errorf("status %+v", s)
		}
		if err := os.Remove(sick); err != nil {
			t.Fatal(err)
		}
		c.await("healthy again", healthy)
	}
}

// TestCommandAsProbe gates a version by a command that runs beside it.
func TestCommandAsProbe(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	a := service(t, agenttest.Behaviour{"id": "one"}, agenttest.Options{
		Probe: &probe.Probe{Kind: probe.Exec, Command: []string{"test", "-f", ready}, Period: 10 * time.Millisecond, Failures: 1},
	})
	answers(t, a, "one")
	c, w := welcomed(t, a)
	if w.Status.Phase != wire.Starting {
		t.Errorf("before the command says so: %+v", w.Status)
	}
	testkit.WriteFile(t, ready, "")
	c.await("healthy", healthy)
	if err := os.Remove(ready); err != nil {
		t.Fatal(err)
	}
	s := c.await("not ready", func(s wire.Status) bool { return s.Phase == wire.Unready })
	if !strings.Contains(s.Reason, "exited with status 1") {
		t.Errorf("status %+v", s)
	}
}

// TestTheManifestsProcess has the arguments and the folder that the manifest
// gives, also after a swap.
func TestTheManifestsProcess(t *testing.T) {
	elsewhere := t.TempDir()
	for name, o := range map[string]agenttest.Options{
		"arguments":                    {Args: []string{agentspec.ArgsAppend, "--greeting", "Hello, you"}, Env: []string{agentspec.EnvDir + "=" + elsewhere}},
		"a command line from a folder": {Args: []string{agentspec.ArgsReplace, "../../app", "--greeting", "Hello, you"}, InDir: "below/it"},
	} {
		t.Run(name, func(t *testing.T) {
			a := service(t, agenttest.Behaviour{"id": "one"}, o)
			want := "--greeting Hello, you in " + elsewhere
			if o.InDir != "" {
				want = "--greeting Hello, you in " + filepath.Join(a.Dir, o.InDir)
			}
			answers(t, a, "one")
			if got := a.Get("/process"); got != want {
				t.Errorf("it runs as %q, want %q", got, want)
			}
			c, w := welcomed(t, a)
			if w.Status.Phase != wire.Healthy {
				c.await("healthy", healthy)
			}
			c.send(agenttest.App(t, agenttest.Behaviour{"id": "two"}, 0), w.Files, wire.Commit{Restart: true, Build: "two"})
			if r := c.result(); r.Outcome != wire.Done {
				t.Fatalf("result %+v", r)
			}
			if got := a.Get("/process"); got != want || a.Get("/") != "two" {
				t.Errorf("after a swap it runs as %q, want %q", got, want)
			}
		})
	}
}
