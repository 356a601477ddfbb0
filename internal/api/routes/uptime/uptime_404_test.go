package uptime_test

import "testing"

func TestUptime404(t *testing.T) {
	a := recorded(t, nil, nil)
	for _, path := range []string{"/api/v1/services/nobody/uptime", "/api/v1/uptime?environment=nowhere"} {
		if got := a.Get(path); got.Status != 404 || got.Problem(t) != "not_found" {
			t.Errorf("%s: got %d %s", path, got.Status, got.Body)
		}
	}
}
