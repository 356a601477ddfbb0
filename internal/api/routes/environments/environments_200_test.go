package environments_test

import (
	"testing"

	"zr/internal/api/apitest"
)

// An api that is no control room serves its own namespace, with a name or without.
func TestEnvironments200(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	got := a.Await("/api/v1/environments", apitest.Status(200))
	if got.Body != "{\"environments\":[{\"name\":\"none\"}]}\n" {
		t.Errorf("got %s", got.Body)
	}
	for _, path := range []string{"/api/v1/services", "/api/v1/services?environment=none", "/api/v1/services/api?environment=none"} {
		a.Await(path, apitest.Status(200))
	}
	a.Await("/api/v1/history?environment=none&service=redis", apitest.Status(200))
}
