package api

import (
	"strings"
	"testing"
)

func TestHistory503WithoutTheDatabase(t *testing.T) {
	env := withServers(t)
	env["DATABASE_URL"] = "postgres://zr@127.0.0.1:1/zr"
	a := run(t, env)
	got := a.await("/api/v1/history", func(r response) bool { return strings.Contains(r.body, "connection refused") })
	if got.status != 503 || got.errorCode(t) != "history_unavailable" {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
