package history_test

import (
	"strings"
	"testing"

	"zr/internal/api/apitest"
)

func TestHistory503WithoutTheDatabase(t *testing.T) {
	env := apitest.WithServers(t)
	env["DATABASE_URL"] = "postgres://zr@127.0.0.1:1/zr"
	a := apitest.Run(t, env)
	got := a.Await("/api/v1/history", func(r apitest.Response) bool { return strings.Contains(r.Body, "connection refused") })
	if got.Status != 503 || got.Problem(t) != "database_unavailable" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}
