package configuration_test

import (
	"net/http"
	"testing"

	"zr/internal/api/contract"
	routes "zr/internal/api/routes/configuration"
)

// A secret that a volume may have been made with is set only with a yes.
func TestSetSecret409(t *testing.T) {
	e := newEnvironment(t)
	e.populate()
	e.PlayKubelet()
	got := e.Send(http.MethodPut, path+"/secrets/PASSWORD", `{"value":"other"}`)
	var p contract.Problem
	got.Decode(t, &p)
	if got.Status != 409 || got.Problem(t) != "confirm_required" || list(p.Dependents...) != "Deployment/db" || e.generation("db") != 1 {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	if done := decode[routes.SecretSet](t, e.Send(http.MethodPut, path+"/secrets/PASSWORD?confirm=true", `{"value":"other"}`)); list(done.Rolls...) != "Deployment/db" {
		t.Errorf("confirmed: %+v", done)
	}
}
