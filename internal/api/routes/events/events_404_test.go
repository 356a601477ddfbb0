package events_test

import "testing"

func TestEvents404(t *testing.T) {
	a := serve(t, "", "")
	for _, path := range []string{"/api/v1/services/nobody/events", "/api/v1/services/web/events?environment=nowhere"} {
		if got := a.Get(path); got.Status != 404 || got.Problem(t) != "not_found" {
			t.Errorf("%s: got %d %s", path, got.Status, got.Body)
		}
	}
}
