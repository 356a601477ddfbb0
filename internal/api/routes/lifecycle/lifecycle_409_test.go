package lifecycle_test

import (
	"testing"

	"zr/internal/api/contract"
	"zr/internal/api/store/postgres"
)

// What others need is stopped only with a yes, and the refusal names them.
func TestLifecycle409(t *testing.T) {
	e := newEnvironment(t)
	e.PlayKubelet()
	e.deploy("db", 1, "")
	e.deploy("api", 1, "cache,db")
	e.deploy("idle", 0, "db")
	for _, asked := range []struct{ path, body string }{{"db/stop", ""}, {"db/scale", `{"replicas":0}`}} {
		got := e.post(asked.path, asked.body)
		var p contract.Problem
		got.Decode(t, &p)
		if got.Status != 409 || got.Problem(t) != "confirm_required" || len(p.Dependents) != 1 || p.Dependents[0] != "api" {
			t.Errorf("%s: got %d %s", asked.path, got.Status, got.Body)
		}
	}
	if n := e.generation("db"); n != 1 {
		t.Errorf("it was changed all the same: generation %d", n)
	}
	if records, err := e.DB.AuditLog(t.Context(), postgres.AuditFilter{Target: "db"}, 0, 10); err != nil || len(records) != 2 || records[0].Outcome != postgres.Refused {
		t.Errorf("recorded: %+v, %v", records, err)
	}
	if got := effect(t, e.post("db/stop?confirm=true", "")); got.Replicas != 0 {
		t.Errorf("confirmed: %+v", got)
	}
}
