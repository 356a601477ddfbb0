package session_test

import (
	"strings"
	"testing"
	"time"

	"zr/internal/api/apitest"
	"zr/pkg/ticket"
)

func TestSession401(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	page := a.LogIn("operator")
	used := a.Ticket("viewer")
	if got := a.Send("POST", "/api/v1/session", `{"ticket":"`+used+`"}`); got.Status != 200 {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	forged, _ := ticket.Make(strings.Repeat("x", 32), "ada", "operator", time.Now())
	for name, c := range map[string]struct{ ticket, code string }{
		"used":   {used, "used_ticket"},
		"forged": {forged, "bad_ticket"},
		"role":   {a.Ticket("admin"), "bad_ticket"},
		"none":   {"x", "bad_ticket"},
	} {
		got := a.Send("POST", "/api/v1/session", `{"ticket":"`+c.ticket+`"}`)
		if got.Status != 401 || got.Problem(t) != c.code || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: got %d %s", name, got.Status, got.Body)
		}
	}
	for name, headers := range map[string][]string{
		"nothing":                nil,
		"forged cookie":          {"Cookie", "zr_session=AAAA"},
		"forged token":           {"Authorization", "Bearer zrt_AAAA"},
		"empty token":            {"Authorization", "Bearer "},
		"both, the token forged": append([]string{"Authorization", "Bearer zrt_AAAA"}, page...),
	} {
		got := a.Request("GET", "/api/v1/session", headers...)
		if got.Status != 401 || got.Problem(t) != "not_logged_in" {
			t.Errorf("%s: got %d %s", name, got.Status, got.Body)
		}
	}
}
