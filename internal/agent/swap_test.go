package agent_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"zr/internal/agent/agenttest"
	"zr/pkg/agentspec/wire"
)

func healthy(s wire.Status) bool { return s.Phase == wire.Healthy }

// running returns a service that is healthy, and a client with its agent.
func running(t *testing.T, b agenttest.Behaviour) (*agenttest.Agent, *client, wire.Tree) {
	t.Helper()
	a := service(t, b, agenttest.Options{})
	c, w := welcomed(t, a)
	if w.Status.Phase != wire.Healthy {
		c.await("healthy", healthy)
	}
	return a, c, w.Files
}

func TestSupersede(t *testing.T) {
	a, c, held := running(t, agenttest.Behaviour{"id": "one"})
	// Neither of the first two gets healthy; nobody waits for them.
	for _, id := range []string{"two", "three"} {
		c.send(agenttest.App(t, agenttest.Behaviour{"id": id, "sick": true}, 0), held, wire.Commit{Restart: true, Build: id, Timeout: time.Hour})
	}
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "four"}, 0), held, wire.Commit{Restart: true, Build: "four"})
	for _, want := range []wire.Outcome{wire.Superseded, wire.Superseded, wire.Done} {
		if r := c.result(); r.Outcome != want {
			t.Fatalf("result %+v, want %s", r, want)
		}
	}
	if a.Get("/") != "four" {
		t.Error("the last one does not answer")
	}
	// A bad one now goes back to the fourth, not to those in between.
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "five", "crash": true}, 0), held, wire.Commit{Restart: true, Build: "five"})
	if r := c.result(); r.Outcome != wire.RolledBack || r.Status.Build != "four" || a.Get("/") != "four" {
		t.Errorf("result %+v", r)
	}
}

func TestSupersededAndBad(t *testing.T) {
	a, c, held := running(t, agenttest.Behaviour{"id": "one"})
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "two", "sick": true}, 0), held, wire.Commit{Restart: true, Timeout: time.Hour})
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "three", "crash": true}, 0), held, wire.Commit{Restart: true})
	if r := c.result(); r.Outcome != wire.Superseded {
		t.Fatalf("result %+v", r)
	}
	if r := c.result(); r.Outcome != wire.RolledBack || a.Get("/") != "one" {
		t.Errorf("result %+v", r)
	}
}

func TestTrial(t *testing.T) {
	a, c, held := running(t, agenttest.Behaviour{"id": "one"})
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "two", "crashAfter": 200 * time.Millisecond}, 0), held, wire.Commit{Restart: true, Build: "two"})
	if r := c.result(); r.Outcome != wire.Done {
		t.Fatalf("result %+v", r)
	}
	s := c.await("going back", func(s wire.Status) bool { return s.RolledBack })
	if s.Build != "seed" || s.Phase != wire.Healthy || !strings.Contains(strings.Join(s.Output, "\n"), "a moment later, in two") {
		t.Errorf("status %+v", s)
	}
	if a.Get("/") != "one" {
		t.Error("the version before it does not answer")
	}
}

// A version that was replaced while it was on its trial is gone back to, and
// still has to prove itself.
func TestTrialGoesOn(t *testing.T) {
	a, c, held := running(t, agenttest.Behaviour{"id": "one"})
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "two"}, 0), held, wire.Commit{Restart: true, Build: "two"})
	if r := c.result(); r.Outcome != wire.Done {
		t.Fatalf("result %+v", r)
	}
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "three", "crash": true}, 0), held, wire.Commit{Restart: true, Build: "three"})
	r := c.result()
	if r.Outcome != wire.RolledBack || r.Status.Build != "two" || a.Get("/") != "two" {
		t.Fatalf("result %+v", r)
	}
	_ = syscall.Kill(r.Status.Pid, syscall.SIGKILL)
	s := c.await("going back", func(s wire.Status) bool { return s.RolledBack || s.Phase == wire.Down })
	if s.Build != "seed" || s.Phase != wire.Healthy || a.Get("/") != "one" {
		t.Errorf("status %+v", s)
	}
}

// A version that does not get healthy when it is gone back to is not waited
// for when there is a newer one.
func TestSupersededGoingBack(t *testing.T) {
	sick := filepath.Join(t.TempDir(), "sick")
	a, c, held := running(t, agenttest.Behaviour{"id": "one", "sickWith": sick})
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "two"}, 0), held, wire.Commit{Restart: true, Build: "two", Timeout: time.Hour})
	r := c.result()
	if r.Outcome != wire.Done {
		t.Fatalf("result %+v", r)
	}
	if err := os.WriteFile(sick, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(r.Status.Pid, syscall.SIGKILL)
	agenttest.Eventually(t, "the first one runs again", func() bool { return a.Get("/") == "one" })
	c, w := welcomed(t, a)
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "three"}, 0), w.Files, wire.Commit{Restart: true, Build: "three"})
	if r := c.result(); r.Outcome != wire.Done || a.Get("/") != "three" {
		t.Errorf("result %+v", r)
	}
}

func TestCrashesAreRestarted(t *testing.T) {
	a := service(t, agenttest.Behaviour{"id": "one", "crashAfter": 50 * time.Millisecond}, agenttest.Options{})
	c, _ := welcomed(t, a)
	s := c.await("three restarts", func(s wire.Status) bool { return s.Phase == wire.Down && s.Restarts >= 3 })
	if !strings.Contains(s.Reason, "exited with status 2") || !strings.Contains(strings.Join(s.Output, "\n"), "in one") {
		t.Errorf("status %+v", s)
	}
	// The fix does not wait for the pause before the next attempt.
	held := wire.Tree{}
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "two"}, 0), held, wire.Commit{Restart: true, Build: "two"})
	if r := c.result(); r.Outcome != wire.Done || a.Get("/") != "two" {
		t.Errorf("result %+v", r)
	}
}

func TestNeverHealthySeed(t *testing.T) {
	a := service(t, agenttest.Behaviour{"id": "one", "crash": true}, agenttest.Options{})
	c, w := welcomed(t, a)
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "two", "crash": true}, 0), w.Files, wire.Commit{Restart: true, Build: "two"})
	if r := c.result(); r.Outcome != wire.Unhealthy || !strings.Contains(strings.Join(r.Output, "\n"), "in two") {
		t.Fatalf("result %+v", r)
	}
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "three"}, 0), w.Files, wire.Commit{Restart: true, Build: "three"})
	if r := c.result(); r.Outcome != wire.Done || a.Get("/") != "three" {
		t.Errorf("result %+v", r)
	}
}

// A file without a restart repairs a process that was down.
func TestSyncRepairs(t *testing.T) {
	a := agenttest.Start(t, agenttest.Options{Seed: map[string]string{
		"app":  agenttest.App(t, agenttest.Behaviour{"id": "one", "needFile": "conf"}, 0),
		"conf": text(t, "bad"),
	}})
	c, w := welcomed(t, a)
	c.await("down", func(s wire.Status) bool { return s.Phase == wire.Down })
	sum := wire.SumOf(wire.AppendLeaves(nil, []byte("good")))
	w.Files["conf"] = wire.File{Size: 4, Sum: sum}
	c.must(c.conn.WriteJSON(wire.TypeBegin, wire.Begin{Tx: 1, Files: []wire.NewFile{{Path: "conf", Size: 4}}}))
	chunk := wire.Chunk{Tx: 1, Size: 4, Body: []byte("good")}
	c.must(c.conn.Write(wire.TypeChunk, chunk.Head(), chunk.Body))
	c.must(c.conn.WriteJSON(wire.TypeCommit, wire.Commit{Tx: 1, Sums: []wire.Sum{sum}, Tree: w.Files.Sum(), Build: "repaired"}))
	if r := c.result(); r.Outcome != wire.Done {
		t.Fatalf("result %+v", r)
	}
	s := c.await("healthy", healthy)
	if s.Build != "repaired" || a.Get("/") != "one" {
		t.Errorf("status %+v", s)
	}
}

func text(t *testing.T, s string) string {
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStubbornVersions(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "lock")
	for name, old := range map[string]agenttest.Behaviour{
		"ignores SIGTERM":                {"id": "one", "ignoreTerm": true},
		"finishes slowly":                {"id": "one", "drain": 400 * time.Millisecond},
		"holds a lock while it finishes": {"id": "one", "drain": 400 * time.Millisecond, "lock": lock},
	} {
		t.Run(name, func(t *testing.T) {
			a, c, held := running(t, old)
			next := agenttest.Behaviour{"id": "two", "lock": old["lock"]}
			if old["lock"] == nil {
				delete(next, "lock")
			}
			c.send(agenttest.App(t, next, 0), held, wire.Commit{Restart: true, Build: "two"})
			r := c.result()
			t.Logf("%+v", r.Times)
			if r.Outcome != wire.Done || a.Get("/") != "two" {
				t.Fatalf("result %+v", r)
			}
		})
	}
}

// A request that is under way when the process is swapped is answered.
func TestDrain(t *testing.T) {
	a, c, held := running(t, agenttest.Behaviour{"id": "one"})
	answer := make(chan string, 1)
	go func() { answer <- a.Get("/slow") }()
	time.Sleep(50 * time.Millisecond) // the request is on its way; later is as good a moment
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "two"}, 0), held, wire.Commit{Restart: true, Build: "two"})
	if r := c.result(); r.Outcome != wire.Done {
		t.Fatalf("result %+v", r)
	}
	if got := <-answer; got != "one" {
		t.Errorf("the slow request was answered with %q", got)
	}
	if a.Get("/") != "two" {
		t.Error("the new version does not answer")
	}
}

// A container that was killed comes up with the code that was live last.
func TestContainerRestart(t *testing.T) {
	a, c, held := running(t, agenttest.Behaviour{"id": "one"})
	c.send(agenttest.App(t, agenttest.Behaviour{"id": "two"}, 0), held, wire.Commit{Restart: true, Build: "two"})
	if r := c.result(); r.Outcome != wire.Done {
		t.Fatalf("result %+v", r)
	}
	state := filepath.Join(a.Volume, "state.json")
	agenttest.Eventually(t, "the new version has proven itself", func() bool {
		b, _ := os.ReadFile(state)
		return strings.Contains(string(b), `"two"`)
	})
	_, before := welcomed(t, a)
	a.Kill()
	a.Run(t)
	_, after := welcomed(t, a)
	if after.Status.Boot == before.Status.Boot {
		t.Error("it is the same boot")
	}
	if after.Status.Build != "two" || after.Status.Tree != held.Sum() {
		t.Errorf("it came up with %+v", after.Status)
	}
	answers(t, a, "two")
}
