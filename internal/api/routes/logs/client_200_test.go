package logs_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"zr/internal/api/access"
	"zr/internal/api/apitest"
	"zr/internal/api/contract"
	"zr/internal/api/routes/session"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/postgres"
	"zr/internal/api/store/storetest"
	"zr/pkg/apiclient"
	"zr/pkg/event"
)

// zr reads the history in a session of its own.
func TestClient200(t *testing.T) {
	redis := storetest.NewRedis(t)
	redis.Start()
	shared, err := cache.Open(redis.URL(), 8, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	url := storetest.Database(t)
	audit, err := postgres.Open(url, 8, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer audit.Close()
	gate := access.New(apitest.LoginKey, shared, audit, slog.New(slog.DiscardHandler))
	a, from, c := serve(t, url, func(a *contract.API) { session.Add(a, gate, "") })
	for _, text := range []string{`{"level":"error","msg":"a timeout","ms":12}`, "a plain line", `{"level":"info","msg":"another timeout"}`} {
		from <- text
	}
	for c.Stats().Stored < 3 {
		if t.Context().Err() != nil {
			t.Fatal("the lines are not stored")
		}
		time.Sleep(time.Millisecond)
	}
	s, err := apiclient.LogIn(t.Context(), apiclient.Address{Base: a.URL(), Key: apitest.LoginKey})
	if err != nil {
		t.Fatal(err)
	}
	read := func(q apiclient.LogQuery) (string, error) {
		var said []string
		err := s.Logs(t.Context(), q, func(l event.LogLine) { said = append(said, l.Service+" "+l.Level+": "+l.Text) })
		return strings.Join(said, "; "), err
	}
	for want, q := range map[string]apiclient.LogQuery{
		"api error: a timeout ms=12; api info: another timeout": {Environment: "shop", Services: []string{"api"}, Regexp: "time.ut", From: time.Now().Add(-time.Hour)},
		"api error: a timeout ms=12":                            {Level: "warning"},
		"":                                                      {From: time.Now().Add(time.Hour)},
	} {
		if got, err := read(q); err != nil || got != want {
			t.Errorf("%+v: %q, %v", q, got, err)
		}
	}
	_, err = read(apiclient.LogQuery{Regexp: "("})
	if refused, ok := errors.AsType[*apiclient.Refused](err); !ok || refused.Status != 422 || refused.Detail == "" {
		t.Errorf("what is no regular expression: %v", err)
	}
}
