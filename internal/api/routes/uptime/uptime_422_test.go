package uptime_test

import "testing"

func TestUptime422(t *testing.T) {
	a := recorded(t, nil, nil)
	for _, path := range []string{"/api/v1/uptime?window=1y", "/api/v1/services/WEB/uptime"} {
		if got := a.Get(path); got.Status != 422 || got.Problem(t) != "invalid" {
			t.Errorf("%s: got %d %s", path, got.Status, got.Body)
		}
	}
}
