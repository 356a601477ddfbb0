package health_test

import (
	"strings"
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/contract"
	"zr/internal/api/probe"
	"zr/internal/api/reason"
	"zr/internal/api/routes/health"
	"zr/internal/api/store/storetest"
)

// expect decodes an answer and compares what it says of each dependency.
func expect(t *testing.T, got apitest.Response, status string, reasons map[string]string) {
	t.Helper()
	var h health.Health
	got.Decode(t, &h)
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
		if strings.Contains(got.Body, secret) {
			t.Errorf("the answer shows %q: %s", secret, got.Body)
		}
	}
}

func TestHealth503WhileTheDatabasesComeUp(t *testing.T) {
	postgres, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	a := apitest.Run(t, map[string]string{"DATABASE_URL": postgres.URL("postgres"), "REDIS_URL": redis.URL()})
	expect(t, a.Await("/health", apitest.Status(503)), "down", map[string]string{"postgres": reason.Refused, "redis": reason.Refused})
	redis.Start()
	got := a.Await("/health", func(r apitest.Response) bool { return strings.Contains(r.Body, `"degraded"`) })
	expect(t, got, "degraded", map[string]string{"postgres": reason.Refused, "redis": ""})
	postgres.Start()
	a.Await("/health", apitest.Status(200))
	// And gone again, and back.
	redis.Stop()
	expect(t, a.Await("/health", apitest.Status(503)), "degraded", map[string]string{"postgres": "", "redis": reason.Refused})
	redis.Start()
	a.Await("/health", apitest.Status(200))
}

func TestHealth503WithAWrongPassword(t *testing.T) {
	env := apitest.WithServers(t)
	for name, url := range env {
		env[name] = strings.Replace(url, storetest.Password, "wrong", 1)
	}
	a := apitest.Run(t, env)
	got := a.Await("/health", apitest.Status(503))
	expect(t, got, "down", map[string]string{"postgres": reason.Auth, "redis": reason.Auth})
	if strings.Contains(a.Log.String(), ":wrong@") {
		t.Errorf("the log shows a URL:\n%s", a.Log)
	}
}

func TestHealth503WhileStopping(t *testing.T) {
	source := &health.Source{Probes: probe.NewSet(nil)}
	source.Stopping.Store(true)
	got := apitest.Serve(t, func(a *contract.API) { health.Add(a, source) }).Get("/health")
	if got.Status != 503 || !strings.Contains(got.Body, reason.Stopping) {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}
