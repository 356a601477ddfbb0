package logs_test

import (
	"testing"

	"zr/internal/api/store/storetest"
)

func TestLogs503WithoutTheDatabase(t *testing.T) {
	a, _, _ := serve(t, storetest.NewPostgres(t).URL("postgres")) // it does not run
	for _, path := range []string{"/logs", "/logs/counts", "/logs/export?format=text"} {
		if r := a.Get("/api/v1" + path); r.Status != 503 {
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
	}
}
