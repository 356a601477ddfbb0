package environments_test

import (
	"net/http"
	"testing"

	"zr/internal/api/apitest"
)

// No route says anything of a namespace that is not served.
func TestAnotherEnvironment404(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	session := a.LogIn("operator")
	for _, c := range [][2]string{
		{http.MethodGet, "/services"}, {http.MethodGet, "/services/api"}, {http.MethodGet, "/history"}, {http.MethodGet, "/overview"},
		{http.MethodGet, "/logs"}, {http.MethodGet, "/logs/counts"}, {http.MethodGet, "/logs/live"}, {http.MethodGet, "/logs/export"},
		{http.MethodPost, "/services/api/stop"}, {http.MethodPost, "/services/api/start"}, {http.MethodPost, "/services/api/restart"},
	} {
		got := a.Request(c[0], "/api/v1"+c[1]+"?environment=kube-system", session...)
		if got.Status != http.StatusNotFound || got.Problem(t) != "not_found" {
			t.Errorf("%s %s: got %d %s", c[0], c[1], got.Status, got.Body)
		}
	}
	if got := a.Send(http.MethodPost, "/api/v1/services/api/scale?environment=kube-system", `{"replicas":2}`, session...); got.Status != http.StatusNotFound {
		t.Errorf("scale: got %d %s", got.Status, got.Body)
	}
}
