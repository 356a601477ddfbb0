package metrics_test

import (
	"strings"
	"testing"

	"zr/internal/api/apitest"
)

// A stranger is told nothing.
func TestMetrics401(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	a.LogIn("viewer")
	if got := a.Get("/metrics"); got.Status != 401 || got.Problem(t) != "not_logged_in" || strings.Contains(got.Body, "zr_api") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
