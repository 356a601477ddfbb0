package configuration_test

import (
	"testing"

	"zr/internal/api/apitest"
)

// Nobody, and nobody who may only read, changes the configuration.
func TestConfiguration403(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	viewer := a.LogIn("viewer")
	for _, write := range [][2]string{{"PUT", path}, {"POST", path + "/preview"}, {"POST", path + "/revisions/1/restore"}, {"PUT", path + "/secrets/KEY"}} {
		if got := a.Send(write[0], write[1], "", viewer...); got.Status != 403 || got.Problem(t) != "role_too_low" {
			t.Errorf("%v by a viewer: got %d %s", write, got.Status, got.Body)
		}
		if got := a.Send(write[0], write[1], ""); got.Status != 401 {
			t.Errorf("%v by nobody: got %d %s", write, got.Status, got.Body)
		}
	}
	for _, read := range []string{"", "/schema", "/revisions", "/revisions/1", "/secrets"} {
		if got := a.Get(path + read); got.Status != 401 {
			t.Errorf("%q for nobody: got %d %s", read, got.Status, got.Body)
		}
	}
	if got := a.Request("GET", path, viewer...); got.Status != 503 || got.Problem(t) != "kubernetes_unavailable" {
		t.Errorf("outside of a cluster: got %d %s", got.Status, got.Body)
	}
}
