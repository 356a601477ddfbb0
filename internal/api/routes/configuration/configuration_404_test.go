package configuration_test

import (
	"net/http"
	"testing"

	routes "zr/internal/api/routes/configuration"
)

func TestConfiguration404(t *testing.T) {
	e := newEnvironment(t) // it has no settings, and no secrets
	for _, read := range []string{"", "/revisions/7", "?environment=another"} {
		if got := e.Get(path + read); got.Status != 404 || got.Problem(t) != "not_found" {
			t.Errorf("%q: got %d %s", read, got.Status, got.Body)
		}
	}
	e.populate()
	e.PlayKubelet()
	written := decode[routes.SettingsWritten](t, e.put(e.etag(), changed, "why"))
	if got := e.Get(path + "/revisions/" + itoa(written.Revision) + "?against=777"); got.Status != 404 || got.Problem(t) != "not_found" {
		t.Errorf("compared with none: got %d %s", got.Status, got.Body)
	}
}

func TestChangeConfiguration404(t *testing.T) {
	e := newEnvironment(t)
	if got := e.put(`"1"`, "A: b", "why"); got.Status != 404 {
		t.Errorf("changing none: got %d %s", got.Status, got.Body)
	}
	if got := e.Send(http.MethodPut, path+"/secrets/KEY", `{"value":"x"}`); got.Status != 404 || got.Problem(t) != "not_found" {
		t.Errorf("setting one of none: got %d %s", got.Status, got.Body)
	}
	if got := e.Get(path + "/secrets"); got.Status != 200 {
		t.Errorf("listing none: got %d %s", got.Status, got.Body)
	}
}
