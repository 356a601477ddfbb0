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

// A Secret that somebody else makes is shown, and not set: he would take it back.
func TestASecretOfSomebodyElse409(t *testing.T) {
	e := newEnvironment(t)
	e.Create(e.Client("", "v1", "secrets"), `{apiVersion: v1, kind: Secret, metadata: {name: secrets}, stringData: {PASSWORD: planted-value}}`)
	all := decode[routes.Secrets](t, e.Send(http.MethodGet, path+"/secrets", ""))
	if len(all.Secrets) != 1 || all.Secrets[0].Settable || all.Secrets[0].Keys[0].Name != "PASSWORD" {
		t.Errorf("got %+v", all)
	}
	before := e.get("", "secrets", "secrets").GetResourceVersion()
	if got := e.Send(http.MethodPut, path+"/secrets/PASSWORD?confirm=true", `{"value":"other"}`); got.Status != 409 || got.Problem(t) != "not_ours" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	if after := e.get("", "secrets", "secrets").GetResourceVersion(); after != before {
		t.Errorf("it was changed, from version %s to %s", before, after)
	}
}
