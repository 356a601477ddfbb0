package overview_test

import (
	"net/http"
	"testing"
)

func TestOverview422(t *testing.T) {
	a, _ := serve(t, nil)
	session := a.LogIn("viewer")
	for _, environment := range []string{"UPPER", "a%00b", "../default"} {
		if got := a.Request(http.MethodGet, path+"?environment="+environment, session...); got.Status != 422 || got.Problem(t) != "invalid" {
			t.Errorf("%s: got %d %s", environment, got.Status, got.Body)
		}
	}
}
