package api_test

import (
	"testing"

	"zr/internal/api/apitest"
)

func Test429AfterTheBurstOfAClass(t *testing.T) {
	a := apitest.Run(t, map[string]string{"DATABASE_URL": "postgres://zr@127.0.0.1:1/zr", "REDIS_URL": "redis://127.0.0.1:1/0"})
	got := a.Get("/docs")
	for asked := 0; got.Status == 200 && asked < 100_000; asked++ {
		got = a.Get("/docs")
	}
	if got.Status != 429 || got.Problem(t) != "too_many_requests" || got.Header.Get("Retry-After") == "" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	if got := a.Get("/health/live"); got.Status != 200 {
		t.Errorf("probes are limited: %d", got.Status)
	}
}
