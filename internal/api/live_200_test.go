package api

import "testing"

func TestLive200WithoutAnyDependency(t *testing.T) {
	a := run(t, map[string]string{"DATABASE_URL": "postgres://zr@127.0.0.1:1/zr", "REDIS_URL": "redis://127.0.0.1:1/0"})
	if got := a.get("/health/live"); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
