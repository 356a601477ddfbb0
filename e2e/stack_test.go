package e2e

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"zr/internal/lab"
	"zr/pkg/ticket"
)

// TestStack takes this repository's own stack from nothing to healthy, and
// through everything that a day brings.
func TestStack(t *testing.T) {
	p := lab.NewProject(t, ".", "zrtest-stack", map[string]int{"frontend": 13000, "api": 13001})
	t.Run("up from nothing", func(t *testing.T) {
		r := p.Must("up", "-o", "json")
		last := r.Events[len(r.Events)-1]
		if last.Text("type") != "ready" {
			t.Fatalf("the last event is %v", last)
		}
		for _, service := range []string{"postgres", "redis", "api", "frontend"} {
			if state := lastState(r, service); state != "healthy" {
				t.Errorf("%s is %s", service, state)
			}
		}
		var health struct {
			Status string
			Build  string
			Checks map[string]struct{ Status string }
		}
		if err := json.Unmarshal([]byte(lab.Get(t, "http://localhost:13001/health")), &health); err != nil {
			t.Fatal(err)
		}
		if health.Status != "ok" || health.Checks["postgres"].Status != "ok" || health.Checks["redis"].Status != "ok" || health.Build == "" {
			t.Errorf("/health: %+v", health)
		}
	})
	t.Run("the dashboard in a browser", func(t *testing.T) {
		testBrowser(t, "dashboard", "BASE_URL=http://localhost:13000", "EXPECT_SERVICES=api,frontend,postgres,redis")
	})
	t.Run("nothing changed", func(t *testing.T) { testUnchanged(t, p) })
	t.Run("one line changed", func(t *testing.T) { testOneLine(t, p) })
	t.Run("status, diff and logs", func(t *testing.T) {
		var report struct {
			Services []struct{ Service, State string }
		}
		if err := json.Unmarshal([]byte(p.Must("status", "-o", "json").Stdout), &report); err != nil || len(report.Services) != 4 {
			t.Errorf("status: %v %+v", err, report)
		}
		if out := p.Must("diff").Stdout; strings.Contains(out, "configured") {
			t.Errorf("diff right after up:\n%s", out)
		}
		if out := p.Must("logs", "--tail", "5", "api").Stdout; !strings.Contains(out, "api") {
			t.Errorf("logs:\n%s", out)
		}
	})
	t.Run("settings roll the pods that use them", func(t *testing.T) { testSettings(t, p) })
	t.Run("an operator at the dashboard", func(t *testing.T) {
		link := strings.TrimSpace(p.Must("dashboard").Stdout)
		testBrowser(t, "actions", "BASE_URL=http://localhost:13000", "LOGIN_LINK="+link)
	})
	t.Run("the configuration in a browser", func(t *testing.T) {
		link := strings.TrimSpace(p.Must("dashboard").Stdout)
		testBrowser(t, "configuration", "BASE_URL=http://localhost:13000", "LOGIN_LINK="+link)
		p.Must("up", "--overwrite") // takes back the secret that was set there
	})
	t.Run("its logs in a browser", func(t *testing.T) {
		testBrowser(t, "stacklogs", append(p.Commands(), "BASE_URL=http://localhost:13000")...)
	})
	t.Run("a snapshot of it, in a browser", func(t *testing.T) {
		testBrowser(t, "stacksnapshot", append(p.Commands(), "BASE_URL=http://localhost:13000")...)
	})
	t.Run("parts of it are away, in a browser", func(t *testing.T) {
		testBrowser(t, "away", append(p.Commands(), "BASE_URL=http://localhost:13000", "VIEWER_LINK="+viewerLink(t, p))...)
	})
	t.Run("down keeps the data", func(t *testing.T) { testDown(t, p) })
}

func lastState(r lab.Result, service string) (state string) {
	for _, e := range r.Events {
		if e.Text("type") == "service.state" && e.Text("service") == service {
			state = e.Text("state")
		}
	}
	return state
}

// viewerLink is a login link of the stack's api for somebody who may change nothing, which
// no verb of zr makes.
func viewerLink(t *testing.T, p *lab.Project) string {
	encoded := p.Kubectl("get", "secret", "-n", "zr-dev", "secrets", "-o", "jsonpath={.data."+ticket.KeyName+"}")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	text, err := ticket.Make(string(key), "vera", "viewer", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return "http://localhost:13001/login#" + text
}

// testBrowser runs the tests of frontend/e2e/<name>.test.mjs on a stack that runs.
func testBrowser(t *testing.T, name string, env ...string) {
	c := exec.Command("node", "--test", "--test-concurrency=1", "e2e/"+name+".test.mjs")
	c.Dir = lab.Repository(t) + "/frontend"
	c.Env = append(os.Environ(), env...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// pods returns name, UID and restarts of every pod of the stack.
func pods(p *lab.Project) string {
	return p.Kubectl("get", "pods", "-A", "-l", "app.kubernetes.io/part-of", "-o",
		`jsonpath={range .items[*]}{.metadata.labels.app\.kubernetes\.io/name} {.metadata.uid}{"\n"}{end}`)
}
