package session_test

import (
	"testing"

	"zr/internal/api/apitest"
)

// The cookie of a session that was ended is of no use to who has kept it.
func TestSession204(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	page := a.LogIn("viewer")
	if got := a.Request("DELETE", "/api/v1/session", page...); got.Status != 204 {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	if got := a.Request("GET", "/api/v1/session", page...); got.Status != 401 {
		t.Errorf("a replayed cookie: got %d %s", got.Status, got.Body)
	}
}
