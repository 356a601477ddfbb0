package lifecycle_test

import "testing"

func TestLifecycle404(t *testing.T) {
	e := newEnvironment(t)
	for _, verb := range []string{"stop", "start", "restart"} {
		if got := e.post("nobody/"+verb, ""); got.Status != 404 || got.Problem(t) != "not_found" {
			t.Errorf("%s: got %d %s", verb, got.Status, got.Body)
		}
	}
}
