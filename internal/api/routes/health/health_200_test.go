package health_test

import (
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/probe"
	"zr/internal/api/routes/health"
)

func TestHealth200(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	got := a.Await("/health", apitest.Status(200))
	var h health.Health
	got.Decode(t, &h)
	if h.Status != "ok" || h.Build != "0123456789abcdef" || h.Version == "" || len(h.Checks) != 2 {
		t.Errorf("got %s", got.Body)
	}
	for name, check := range h.Checks {
		if check.Status != probe.OK || check.LatencyMS <= 0 || check.Reason != "" {
			t.Errorf("%s: got %+v", name, check)
		}
	}
	for header, want := range map[string]string{
		"Content-Type":           "application/json",
		"Cache-Control":          "no-store",
		"X-Content-Type-Options": "nosniff",
	} {
		if got.Header.Get(header) != want {
			t.Errorf("%s: got %q, want %q", header, got.Header.Get(header), want)
		}
	}
}

func TestHealthIsAnsweredByAddressWithoutAPort(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	a.Await("/health", apitest.Status(200))
	if got := a.Request("GET", "/health", "Host", "10.244.0.7"); got.Status != 200 {
		t.Errorf("got %d %s, want what the kubelet needs", got.Status, got.Body)
	}
}
