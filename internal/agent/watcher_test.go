package agent_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/agent/agenttest"
	"zr/internal/agent/spec"
	"zr/internal/agent/wire"
	"zr/internal/testkit"
)

// TestAWatcherThatOutlivesItsProgram: node --watch would wait for a save.
func TestAWatcherThatOutlivesItsProgram(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip(err)
	}
	app := filepath.Join(t.TempDir(), "app.js")
	testkit.WriteFile(t, app, `
		require("http").createServer((request, response) => {
			if (request.url === "/die") throw new Error("as it was told");
			response.end(String(process.pid));
		}).listen(process.env.PORT, "127.0.0.1");
	`)
	a := agenttest.Start(t, agenttest.Options{
		Kind: spec.Node, Seed: map[string]string{"app.js": app}, Command: []string{"node", "--watch", "app.js"},
	})
	agenttest.Eventually(t, "it answers", func() bool { return a.Get("/") != "" })
	c, _ := welcomed(t, a)
	before := a.Get("/")
	a.Get("/die")
	s := c.await("the end", func(s wire.Status) bool { return s.Phase == wire.Down })
	if !strings.Contains(strings.Join(s.Output, "\n"), "as it was told") {
		t.Errorf("status %+v", s)
	}
	agenttest.Eventually(t, "another one answers", func() bool { pid := a.Get("/"); return pid != "" && pid != before })
}
