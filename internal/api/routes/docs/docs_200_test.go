package docs_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"zr/internal/api"
	"zr/internal/api/apitest"
)

// unreachable are settings of an api without its databases: the description
// needs none.
var unreachable = map[string]string{"DATABASE_URL": "postgres://zr@127.0.0.1:1/zr", "REDIS_URL": "redis://127.0.0.1:1/0"}

func TestDocs200(t *testing.T) {
	a := apitest.Run(t, unreachable)
	for path, mediaType := range map[string]string{"/docs": "text/html", "/docs/docs.js": "text/javascript", "/docs/docs.css": "text/css"} {
		got := a.Get(path)
		policy := got.Header.Get("Content-Security-Policy")
		if got.Status != 200 || !strings.HasPrefix(got.Header.Get("Content-Type"), mediaType) || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: got %d %v", path, got.Status, got.Header)
		}
		if strings.Contains(got.Body, "https://") || strings.Contains(got.Body, "http://") {
			t.Errorf("%s takes something from elsewhere", path)
		}
	}
}

// What is served is what is committed, which the dashboard's types are made of.
func TestDocument200(t *testing.T) {
	committed, err := os.ReadFile("../../../../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	got := apitest.Run(t, unreachable).Get("/api/v1/openapi.json")
	if got.Status != 200 || got.Body != string(committed) {
		t.Errorf("got %d, another document than docs/openapi.json: make generate", got.Status)
	}
	made, err := api.Document()
	if err != nil || !json.Valid(made) {
		t.Errorf("not JSON: %v", err)
	}
}
