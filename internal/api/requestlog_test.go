package api_test

import (
	"strings"
	"testing"

	"zr/internal/api/apitest"
)

func TestRequestLog(t *testing.T) {
	env := apitest.WithServers(t)
	env["LOG_LEVEL"] = "debug"
	a := apitest.Run(t, env)
	if got := a.Request("GET", "/nothing?token=hunter2", "X-Request-Id", "from-the-page.1"); got.Header.Get("X-Request-Id") != "from-the-page.1" {
		t.Errorf("the id is not kept: %v", got.Header)
	}
	if got := a.Request("GET", "/health/live", "X-Request-Id", "no good id"); strings.Contains(got.Header.Get("X-Request-Id"), " ") {
		t.Errorf("a bad id is kept: %v", got.Header)
	}
	a.Stop()
	found := map[string]map[string]any{}
	for _, line := range a.Log.Lines(t) {
		if line["msg"] == "request" {
			found[line["path"].(string)] = line
		}
	}
	line := found["/nothing"]
	if line["method"] != "GET" || line["status"] != 404.0 || line["requestId"] != "from-the-page.1" || line["level"] != "info" || line["ms"] == nil {
		t.Errorf("got %v", line)
	}
	if found["/health/live"]["level"] != "debug" {
		t.Errorf("probes are louder than debug: %v", found["/health/live"])
	}
	for _, secret := range []string{"hunter2", env["DATABASE_URL"], env["REDIS_URL"], "mock-password"} {
		if strings.Contains(a.Log.String(), secret) {
			t.Errorf("the log shows %q:\n%s", secret, a.Log)
		}
	}
}
