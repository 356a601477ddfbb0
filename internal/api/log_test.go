package api

import (
	"log/slog"
	"strings"
	"testing"
)

func TestLevelsGoByTheirNames(t *testing.T) {
	buf := &logBuffer{}
	log := newLogger(buf, slog.LevelDebug)
	log.Debug("d")
	log.Info("i", slog.Group("g", "level", "kept"))
	log.Warn("w")
	log.Error("e")
	var levels []string
	for _, line := range buf.lines(t) {
		levels = append(levels, line["level"].(string))
	}
	if got := strings.Join(levels, " "); got != "debug info warning error" {
		t.Errorf("got %s", got)
	}
}

func TestRequestLog(t *testing.T) {
	env := withServers(t)
	env["LOG_LEVEL"] = "debug"
	a := run(t, env)
	if got := a.request("GET", "/nothing?token=hunter2", "X-Request-Id", "from-the-page.1"); got.header.Get("X-Request-Id") != "from-the-page.1" {
		t.Errorf("the id is not kept: %v", got.header)
	}
	if got := a.request("GET", "/health/live", "X-Request-Id", "no good id"); strings.Contains(got.header.Get("X-Request-Id"), " ") {
		t.Errorf("a bad id is kept: %v", got.header)
	}
	a.stop()
	found := map[string]map[string]any{}
	for _, line := range a.log.lines(t) {
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
		if strings.Contains(a.log.String(), secret) {
			t.Errorf("the log shows %q:\n%s", secret, a.log)
		}
	}
}

func TestAPanicIsAnswered500(t *testing.T) {
	buf := &logBuffer{}
	srv := serveForTest(t, identify(recoverPanics(newLogger(buf, slog.LevelInfo), panics{})))
	a := &app{t: t, url: "http://" + srv.address, log: buf}
	got := a.get("/")
	if got.status != 500 || got.errorCode(t) != "internal" || !strings.Contains(buf.String(), "a bug") {
		t.Errorf("got %d %s\n%s", got.status, got.body, buf)
	}
	if strings.Contains(got.body, "a bug") {
		t.Errorf("the answer shows the panic: %s", got.body)
	}
}
