package logs_test

import (
	"strings"
	"testing"

	"log/slog"
	"zr/internal/api/apitest"
	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/logstore"
	"zr/internal/api/routes/logs"
)

func TestLogs422(t *testing.T) {
	c := logstore.NewCollector("shop", nil, nil, nil, nil, slog.New(slog.DiscardHandler))
	a := apitest.Serve(t, func(a *contract.API) {
		logs.Add(a, logs.Source{Environments: environments.Only(&environments.Environment{Logs: c})}, slog.New(slog.DiscardHandler))
	})
	for _, path := range []string{
		"/logs?regexp=(", "/logs?regexp=" + strings.Repeat("x", 501), "/logs?field=novalue", "/logs?cursor=AAAA", "/logs?level=loud", "/logs?limit=100000",
		"/logs?regexp=" + "(((a%7B1000%7D)%7B1000%7D)%7B1000%7D)", // what would take gigabytes
		"/logs/counts?every=1", "/logs/live?level=loud", "/logs/live?after=x", "/logs/live?regexp=(", "/logs/live?text=" + strings.Repeat("x", 501),
		"/logs/export?format=xml", "/logs/export?format=text&from=yesterday",
	} {
		r := a.Get("/api/v1" + path)
		if r.Status != 422 {
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
	}
}
