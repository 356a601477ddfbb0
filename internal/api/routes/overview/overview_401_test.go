package overview_test

import (
	"strings"
	"testing"
)

// Names are those of the audit log: they are for who is logged in, also where anybody may
// look.
func TestOverview401(t *testing.T) {
	a, _ := serve(t, map[string]string{"READERS": "anybody"})
	if got := a.Get("/api/v1/services"); got.Status != 200 {
		t.Fatalf("anybody may look: %d %s", got.Status, got.Body)
	}
	if got := a.Get(path); got.Status != 401 || got.Problem(t) != "not_logged_in" || strings.Contains(got.Body, "services") {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}
