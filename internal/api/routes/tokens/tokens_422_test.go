package tokens_test

import (
	"strings"
	"testing"

	"zr/internal/api/apitest"
)

func TestTokens422(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	page := a.LogIn("operator")
	for _, body := range []string{`{}`, `{"name":"x","role":"admin"}`, `{"name":"","role":"viewer"}`, `{"name":"x","role":"viewer","days":366}`, `{"name":"x","role":"viewer","more":1}`, `{"name":"a\u0000b","role":"viewer"}`} {
		if got := a.Send("POST", "/api/v1/tokens", body, page...); got.Status != 422 || got.Problem(t) != "invalid" {
			t.Errorf("%s: got %d %s", body, got.Status, got.Body)
		}
	}
	large := `{"name":"` + strings.Repeat("x", 65<<10) + `","role":"viewer"}`
	if got := a.Send("POST", "/api/v1/tokens", large, page...); got.Status != 413 || got.Problem(t) != "too_large" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}
