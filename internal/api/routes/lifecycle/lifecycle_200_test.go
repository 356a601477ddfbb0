package lifecycle_test

import (
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/lifecycle"
	"zr/internal/api/store/postgres"
	"zr/pkg/kube/object"
)

func effect(t *testing.T, got apitest.Response) (e lifecycle.Effect) {
	t.Helper()
	if got.Status != 200 {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	got.Decode(t, &e)
	return e
}

// A service is stopped, gets back what it had, is restarted and scaled; each answer
// is what the API server says afterwards, and each action is recorded.
func TestLifecycle200(t *testing.T) {
	e := newEnvironment(t)
	e.PlayKubelet()
	e.deploy("web", 2, "")
	if got := effect(t, e.post("web/scale", `{"replicas":3}`)); got.Replicas != 3 || got.Ready != 3 {
		t.Errorf("scaled: %+v", got)
	}
	if got := effect(t, e.post("web/stop", "")); got.Replicas != 0 || got.Ready != 0 {
		t.Errorf("stopped: %+v", got)
	}
	if got := effect(t, e.post("web/stop", "")); got.Replicas != 0 {
		t.Errorf("stopped again: %+v", got)
	}
	if by, at := e.annotation("web", object.StoppedBy), e.annotation("web", object.StoppedAt); by == "" || at == "" {
		t.Errorf("who stopped it is %q, and when is %q", by, at)
	}
	if got := effect(t, e.post("web/start", "")); got.Replicas != 3 || got.Ready != 3 {
		t.Errorf("started: %+v", got)
	}
	if by := e.annotation("web", object.StoppedBy); by != "" {
		t.Errorf("it runs, and is said to be stopped by %q", by)
	}
	before := e.generation("web")
	first := effect(t, e.post("web/restart", "", "Idempotency-Key", "k1"))
	if first.Generation <= before || first.Ready != first.Replicas {
		t.Errorf("restarted: %+v after generation %d", first, before)
	}
	if again := effect(t, e.post("web/restart", "", "Idempotency-Key", "k1")); again != first || e.generation("web") != first.Generation {
		t.Errorf("the same key: %+v, want %+v and no second restart", again, first)
	}
	records, err := e.DB.AuditLog(t.Context(), postgres.AuditFilter{Target: "web", Outcome: postgres.Done}, 0, 10)
	if err != nil || len(records) != 5 || records[0].Action != "restartService" {
		t.Errorf("recorded: %+v, %v", records, err)
	}
}
