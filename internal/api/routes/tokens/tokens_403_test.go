package tokens_test

import (
	"testing"

	"zr/internal/api/apitest"
)

func TestTokens403(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	viewer, operator := a.LogIn("viewer"), a.LogIn("operator")
	const body = `{"name":"x","role":"operator"}`
	for name, c := range map[string]struct {
		headers []string
		code    string
	}{
		"a viewer":                 {viewer, "role_too_low"},
		"a session without origin": {operator[:2], "origin_missing"},
		"a foreign page":           {append([]string{"Origin", "https://evil.example"}, operator[:2]...), "origin_not_allowed"},
	} {
		got := a.Send("POST", "/api/v1/tokens", body, c.headers...)
		if got.Status != 403 || got.Problem(t) != c.code {
			t.Errorf("%s: got %d %s", name, got.Status, got.Body)
		}
	}
	if got := a.Request("GET", "/api/v1/tokens", operator...); got.Body != "{\"tokens\":[]}\n" {
		t.Errorf("one was made: %s", got.Body)
	}
}
