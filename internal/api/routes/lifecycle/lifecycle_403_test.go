package lifecycle_test

import (
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/store/storetest"
)

// Nobody, and nobody who may only read, changes what runs.
func TestLifecycle403(t *testing.T) {
	server, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	server.Start()
	redis.Start()
	env := map[string]string{"DATABASE_URL": server.URL("postgres"), "REDIS_URL": redis.URL(), "LOGIN_KEY": apitest.LoginKey}
	a := apitest.Run(t, env)
	viewer := a.LogIn("viewer")
	for _, verb := range []string{"stop", "start", "restart", "scale", "rollback", "run"} {
		if got := a.Send("POST", "/api/v1/services/web/"+verb, "", viewer...); got.Status != 403 || got.Problem(t) != "role_too_low" {
			t.Errorf("%s by a viewer: got %d %s", verb, got.Status, got.Body)
		}
		if got := a.Send("POST", "/api/v1/services/web/"+verb, ""); got.Status != 401 {
			t.Errorf("%s by nobody: got %d %s", verb, got.Status, got.Body)
		}
	}
	if got := a.Get("/api/v1/services/web/revisions"); got.Status != 401 {
		t.Errorf("revisions for nobody: got %d %s", got.Status, got.Body)
	}
}
