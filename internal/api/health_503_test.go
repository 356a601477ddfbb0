package api

import (
	"strings"
	"testing"

	"zr/internal/api/probe"
	"zr/internal/api/reason"
	"zr/internal/api/store/storetest"
)

// expect decodes an answer and compares what it says of each dependency.
func expect(t *testing.T, got response, status string, reasons map[string]string) {
	t.Helper()
	var h health
	got.decode(t, &h)
	if h.Status != status {
		t.Errorf("status %q, want %q", h.Status, status)
	}
	for name, want := range reasons {
		state := probe.OK
		if want != "" {
			state = probe.Down
		}
		if c := h.Checks[name]; c.Status != state || c.Reason != want {
			t.Errorf("%s: got %+v, want %s %q", name, c, state, want)
		}
	}
	for _, secret := range []string{storetest.Password, "127.0.0.1", "zr:", "@"} {
		if strings.Contains(got.body, secret) {
			t.Errorf("the answer shows %q: %s", secret, got.body)
		}
	}
}

func TestHealth503WhileTheDatabasesComeUp(t *testing.T) {
	postgres, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	a := run(t, map[string]string{"DATABASE_URL": postgres.URL("postgres"), "REDIS_URL": redis.URL()})
	expect(t, a.await("/health", status(503)), "down", map[string]string{"postgres": reason.Refused, "redis": reason.Refused})
	redis.Start()
	got := a.await("/health", func(r response) bool { return strings.Contains(r.body, `"degraded"`) })
	expect(t, got, "degraded", map[string]string{"postgres": reason.Refused, "redis": ""})
	postgres.Start()
	a.await("/health", status(200))
	// And gone again, and back.
	redis.Stop()
	expect(t, a.await("/health", status(503)), "degraded", map[string]string{"postgres": "", "redis": reason.Refused})
	redis.Start()
	a.await("/health", status(200))
}

func TestHealth503WithAWrongPassword(t *testing.T) {
	env := withServers(t)
	for name, url := range env {
		env[name] = strings.Replace(url, storetest.Password, "wrong", 1)
	}
	a := run(t, env)
	got := a.await("/health", status(503))
	expect(t, got, "down", map[string]string{"postgres": reason.Auth, "redis": reason.Auth})
	if strings.Contains(a.log.String(), ":wrong@") {
		t.Errorf("the log shows a URL:\n%s", a.log)
	}
}
