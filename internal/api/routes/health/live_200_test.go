package health_test

import (
	"testing"

	"zr/internal/api/apitest"
)

func TestLive200WithoutAnyDependency(t *testing.T) {
	a := apitest.Run(t, map[string]string{"DATABASE_URL": "postgres://zr@127.0.0.1:1/zr", "REDIS_URL": "redis://127.0.0.1:1/0"})
	if got := a.Get("/health/live"); got.Status != 200 {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}
