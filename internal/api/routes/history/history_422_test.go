package history_test

import (
	"strings"
	"testing"

	"zr/internal/api/apitest"
)

func TestHistory422(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	for _, query := range []string{"limit=0", "limit=501", "limit=-1", "limit=many", "service=" + strings.Repeat("x", 254), "service=a%00b", "service=%ff",
		"service=%27%20OR%201%3D1%3B--", "cursor=7", "cursor=" + strings.Repeat("A", 65)} {
		got := a.Get("/api/v1/history?" + query)
		if got.Status != 422 || got.Problem(t) != "invalid" {
			t.Errorf("%s: got %d %s", query, got.Status, got.Body)
		}
	}
}
