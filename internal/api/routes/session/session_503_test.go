package session_test

import (
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/store/storetest"
)

func TestSession503WithoutRedis(t *testing.T) {
	redis := storetest.NewRedis(t)
	redis.Start()
	env := apitest.WithServers(t)
	env["REDIS_URL"] = redis.URL()
	a := apitest.Run(t, env)
	page := a.LogIn("viewer")
	redis.Stop()
	if got := a.Request("GET", "/api/v1/session", page...); got.Status != 503 || got.Problem(t) != "sessions_unavailable" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	if got := a.Send("POST", "/api/v1/session", `{"ticket":"`+a.Ticket("viewer")+`"}`); got.Status != 503 {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}
