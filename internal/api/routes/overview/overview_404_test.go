package overview_test

import (
	"net/http"
	"testing"
)

func TestOverview404(t *testing.T) {
	a, _ := serve(t, nil)
	if got := a.Request(http.MethodGet, path+"?environment=kube-system", a.LogIn("viewer")...); got.Status != 404 || got.Problem(t) != "not_found" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}
