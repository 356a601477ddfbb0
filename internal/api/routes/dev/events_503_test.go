package dev_test

import (
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/store/storetest"
)

// Without the database there are no events; and a parameter that is none is refused.
func TestEvents503(t *testing.T) {
	postgres := storetest.NewPostgres(t)
	postgres.Start()
	settings := apitest.WithServers(t)
	settings["DATABASE_URL"] = postgres.URL("postgres")
	running := apitest.Run(t, settings)
	a := &api{running, t, running.LogIn("viewer")}
	postgres.Stop()
	for path, want := range map[string]int{"events": 503, "metrics": 503, "live": 503, "live?after=x": 422, "metrics?window=9d": 422, "events?cursor=x": 422, "events?environment=other": 404} {
		if got := a.Request("GET", "/api/v1/dev/"+path, a.page...); got.Status != want {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
}
