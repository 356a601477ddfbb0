package uptime_test

import (
	"testing"

	"zr/internal/api/apitest"
)

func TestUptime503WithoutTheDatabase(t *testing.T) {
	env := apitest.WithServers(t)
	env["DATABASE_URL"] = "postgres://zr@127.0.0.1:1/zr"
	a := apitest.Run(t, env)
	for _, path := range []string{"/api/v1/uptime", "/api/v1/services/web/uptime"} {
		if got := a.Get(path); got.Status != 503 || got.Problem(t) != "database_unavailable" {
			t.Errorf("%s: got %d %s", path, got.Status, got.Body)
		}
	}
}
