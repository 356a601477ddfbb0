package api

import (
	"testing"

	"zr/internal/api/probe"
)

func TestHealth200(t *testing.T) {
	a := run(t, withServers(t))
	got := a.await("/health", status(200))
	var h health
	got.decode(t, &h)
	if h.Status != "ok" || h.Build != "0123456789abcdef" || h.Version != version || len(h.Checks) != 2 {
		t.Errorf("got %s", got.body)
	}
	for name, check := range h.Checks {
		if check.Status != probe.OK || check.LatencyMS <= 0 || check.Reason != "" {
			t.Errorf("%s: got %+v", name, check)
		}
	}
	for header, want := range map[string]string{
		"Content-Type":           "application/json; charset=utf-8",
		"Cache-Control":          "no-store",
		"X-Content-Type-Options": "nosniff",
	} {
		if got.header.Get(header) != want {
			t.Errorf("%s: got %q, want %q", header, got.header.Get(header), want)
		}
	}
}

func TestHealthIsAnsweredByAddressWithoutAPort(t *testing.T) {
	a := run(t, withServers(t))
	a.await("/health", status(200))
	if got := a.request("GET", "/health", "Host", "10.244.0.7"); got.status != 200 {
		t.Errorf("got %d %s, want what the kubelet needs", got.status, got.body)
	}
}
