package api_test

import (
	"testing"

	"zr/internal/api/apitest"
)

// What is refused before any route: 403, 404, 405 and 421.
func TestRefused(t *testing.T) {
	env := apitest.WithServers(t)
	env["ALLOWED_ORIGINS"] = "http://localhost:3000,https://zr.example"
	env["ALLOWED_HOSTS"] = "zr.example"
	a := apitest.Run(t, env)
	for _, c := range []struct {
		name, method, path string
		headers            []string
		status             int
		code               string
	}{
		{"unknown path", "GET", "/api/v1/secrets", nil, 404, "not_found"},
		{"path above the root", "GET", "/../etc/passwd", nil, 404, "not_found"},
		{"write", "POST", "/api/v1/services", nil, 405, "method_not_allowed"},
		{"write to health", "DELETE", "/health", nil, 405, "method_not_allowed"},
		{"foreign page", "GET", "/api/v1/services", []string{"Origin", "https://evil.example"}, 403, "origin_not_allowed"},
		{"sandboxed page", "GET", "/api/v1/services", []string{"Origin", "null"}, 403, "origin_not_allowed"},
		{"foreign preflight", "OPTIONS", "/api/v1/services", []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "GET"}, 403, "origin_not_allowed"},
		{"almost an allowed page", "GET", "/api/v1/services", []string{"Origin", "http://localhost:3000.evil.example"}, 403, "origin_not_allowed"},
		{"rebound name", "GET", "/api/v1/services", []string{"Host", "rebound.example:3001"}, 421, "unknown_host"},
		{"rebound name, health", "GET", "/health", []string{"Host", "rebound.example"}, 421, "unknown_host"},
	} {
		got := a.Request(c.method, c.path, c.headers...)
		if got.Status != c.status || got.Problem(t) != c.code {
			t.Errorf("%s: got %d %s, want %d %s", c.name, got.Status, got.Body, c.status, c.code)
		}
		if origin := got.Header.Get("Access-Control-Allow-Origin"); origin != "" {
			t.Errorf("%s: a refusal allows origin %q", c.name, origin)
		}
	}
}

func TestAllowed(t *testing.T) {
	env := apitest.WithServers(t)
	env["ALLOWED_ORIGINS"] = "http://localhost:3000,https://zr.example"
	env["ALLOWED_HOSTS"] = "zr.example"
	a := apitest.Run(t, env)
	for _, host := range []string{"localhost:3001", "api:3001", "api.zr-dev.svc", "api.zr-dev.svc.cluster.local:3001", "[::1]:3001", "10.96.0.3", "ZR.example", "zr.example.:443", "zr.localhost"} {
		if got := a.Request("GET", "/health/live", "Host", host); got.Status != 200 {
			t.Errorf("host %s: got %d %s", host, got.Status, got.Body)
		}
	}
	for _, origin := range []string{"http://localhost:3000", "https://zr.example"} {
		got := a.Request("GET", "/health/live", "Origin", origin)
		if got.Status != 200 || got.Header.Get("Access-Control-Allow-Origin") != origin || got.Header.Get("Vary") != "Origin" {
			t.Errorf("origin %s: got %d %v", origin, got.Status, got.Header)
		}
		got = a.Request("OPTIONS", "/api/v1/services", "Origin", origin, "Access-Control-Request-Method", "GET")
		if got.Status != 204 || got.Header.Get("Access-Control-Allow-Methods") != "GET, HEAD, POST, PUT, PATCH, DELETE" {
			t.Errorf("preflight of %s: got %d %v", origin, got.Status, got.Header)
		}
	}
}
