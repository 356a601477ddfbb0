package session_test

import (
	"strings"
	"testing"

	"zr/internal/api/access"
	"zr/internal/api/apitest"
)

func TestSession200(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	a.Await("/health", apitest.Status(200))
	got := a.Send("POST", "/api/v1/session", `{"ticket":"`+a.Ticket("viewer")+`"}`)
	cookie := got.Header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} {
		if got.Status != 200 || !strings.Contains(cookie, want) {
			t.Errorf("%d, no %s in %q", got.Status, want, cookie)
		}
	}
	page := a.LogIn("operator")
	var who access.Caller
	got = a.Request("GET", "/api/v1/session", page...)
	got.Decode(t, &who)
	if got.Status != 200 || who.Name != "ada" || who.Role != "operator" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}

func TestLoginPage200(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	got := a.Get("/login")
	policy := got.Header.Get("Content-Security-Policy")
	if got.Status != 200 || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(got.Body, `href="http://localhost:3000"`) {
		t.Errorf("got %d %v %s", got.Status, got.Header, got.Body)
	}
	if got := a.Get("/login/login.js"); got.Status != 200 {
		t.Errorf("got %d", got.Status)
	}
}
