package tokens_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"zr/internal/api/apitest"
	"zr/internal/api/routes/tokens"
)

// A token is shown once, kept as a hash, and refused when it was removed.
func TestTokens201(t *testing.T) {
	env := apitest.WithServers(t)
	a := apitest.Run(t, env)
	page := a.LogIn("operator")
	got := a.Send("POST", "/api/v1/tokens", `{"name":"nightly","role":"viewer","days":1}`, page...)
	var made tokens.CreatedToken
	got.Decode(t, &made)
	if got.Status != 201 || made.Name != "nightly" || made.CreatedBy != "ada" || len(made.Secret) < 40 {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	script := []string{"Authorization", "Bearer " + made.Secret}
	if got := a.Request("GET", "/api/v1/session", script...); got.Status != 200 || !strings.Contains(got.Body, `"token nightly"`) {
		t.Errorf("the token is not taken: %d %s", got.Status, got.Body)
	}
	if got := a.Request("GET", "/api/v1/tokens", page...); got.Status != 200 || !strings.Contains(got.Body, `"nightly"`) || strings.Contains(got.Body, made.Secret) {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	conn, err := pgx.Connect(t.Context(), env["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var shown bool
	if err := conn.QueryRow(t.Context(), "SELECT bool_or(position($1::text in t::text) > 0) FROM tokens t", made.Secret).Scan(&shown); err != nil || shown {
		t.Errorf("the database holds the token itself: %v, %v", shown, err)
	}
	if got := a.Request("DELETE", "/api/v1/tokens/1", page...); got.Status != 204 {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	if got := a.Request("GET", "/api/v1/session", script...); got.Status != 401 {
		t.Errorf("a removed token: got %d %s", got.Status, got.Body)
	}
	if got := a.Request("DELETE", "/api/v1/tokens/1", page...); got.Status != 404 || got.Problem(t) != "not_found" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}
