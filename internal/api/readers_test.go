package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"zr/internal/api/apitest"
)

// TestReaders: what anybody reads where READERS=anybody is for viewers where nothing
// is said, the socket of services included; what tells no more than that the api lives
// stays open.
func TestReaders(t *testing.T) {
	settings := apitest.WithServers(t)
	settings["READERS"] = "" // the default
	a := apitest.Run(t, settings)
	var contract struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal([]byte(a.Get("/api/v1/openapi.json").Body), &contract); err != nil {
		t.Fatal(err)
	}
	viewer := a.LogIn("viewer")
	asked := 0
	for path, methods := range contract.Paths {
		security := methods["get"].Security
		if len(security) == 0 || len(security[0]) != 0 {
			continue
		}
		asked++
		path = strings.ReplaceAll(path, "{name}", "api")
		if r := a.Get(path); r.Status != 401 || r.Problem(t) != "not_logged_in" {
			t.Errorf("%s tells a stranger %d %s", path, r.Status, r.Body)
		}
		if r := a.Request(http.MethodGet, path, viewer...); r.Status == 401 || r.Status == 403 {
			t.Errorf("%s tells a viewer %d %s", path, r.Status, r.Body)
		}
	}
	if asked < 5 {
		t.Errorf("%d routes are for guests", asked)
	}
	if r := a.Request(http.MethodGet, "/api/v1/live/services"); r.Status != 401 {
		t.Errorf("the socket of services tells a stranger %d %s", r.Status, r.Body)
	}
	for _, path := range []string{"/health", "/health/live"} {
		if r := a.Get(path); r.Status != 200 && r.Status != 503 {
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
	}
}
