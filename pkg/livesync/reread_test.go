package livesync

import (
	"os"
	"path/filepath"
	"testing"

	"zr/internal/agent/agenttest"
	"zr/internal/testkit"
	"zr/pkg/agentspec/wire"
)

// TestReread: a file that the process reads by itself is put in place without a
// swap, also in a container that came later, and a program beside it is not.
func TestReread(t *testing.T) {
	a := goService(t, agenttest.Behaviour{"id": "one"})
	replays := make(chan Result, 2)
	save := func(text string) string {
		path := filepath.Join(t.TempDir(), "a.html")
		testkit.WriteFile(t, path, text)
		return path
	}
	held := func() string {
		text, _ := os.ReadFile(filepath.Join(a.Volume, "files", "pages", "a.html"))
		return string(text)
	}
	s := dial(t, a, func(o *Options) { o.OnReplay = func(r Result, _ error) { replays <- r } })
	agenttest.Eventually(t, "healthy", func() bool { return s.State().Status.Phase == wire.Healthy })
	program := version(t, agenttest.Behaviour{"id": "two"}, "two")
	program.Files["pages/a.html"] = Source{save("first")}
	push(t, s, program)
	pid := s.State().Status.Pid
	page := Change{
		Files: map[string]Source{"pages/a.html": {save("second")}}, Build: "three", Restart: true,
		Reread: func(path string) bool { return path != "app" },
	}
	if r := push(t, s, page); r.Build != "three" || r.Swapped != 0 || s.State().Status.Pid != pid || held() != "second" {
		t.Errorf("result %+v, pid %d → %d", r, pid, s.State().Status.Pid)
	}
	page.Files, page.Gone, page.Build = nil, []string{"pages/a.html"}, "four"
	if r := push(t, s, page); r.Build != "four" || s.State().Status.Pid != pid || !s.State().InStep {
		t.Errorf("result %+v, pid %d → %d", r, pid, s.State().Status.Pid)
	}
	a.Kill()
	if err := os.RemoveAll(a.Volume); err != nil {
		t.Fatal(err)
	}
	a.Run(t)
	if r := <-replays; r.Reason != "" || r.Build != "four" || a.Get("/") != "two" {
		t.Errorf("the new container runs %q, replayed %+v", a.Get("/"), r)
	}
}
