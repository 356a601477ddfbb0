package lifecycle_test

import "testing"

func TestLifecycle404(t *testing.T) {
	e := newEnvironment(t)
	e.deploy("web", 0, "")
	if got := e.post("web/rollback", `{"revision":99}`); got.Status != 404 || got.Problem(t) != "not_found" {
		t.Errorf("a revision that is not there: got %d %s", got.Status, got.Body)
	}
	for _, verb := range []string{"stop", "start", "restart", "run"} {
		if got := e.post("nobody/"+verb, ""); got.Status != 404 || got.Problem(t) != "not_found" {
			t.Errorf("%s: got %d %s", verb, got.Status, got.Body)
		}
	}
}
