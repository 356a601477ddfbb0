package apitest

import (
	"net/http"
	"strings"
	"time"

	"zr/internal/api/contract"
	"zr/pkg/ticket"
)

// LoginKey is the key of the login links of WithServers.
const LoginKey = "key-of-the-login-links-of-a-test"

// Ticket returns a ticket of a login link.
func (a *App) Ticket(role string) string {
	a.t.Helper()
	text, err := ticket.Make(LoginKey, "ada", role, time.Now())
	if err != nil {
		a.t.Fatal(err)
	}
	return text
}

// LogIn begins a session and returns the headers that a page of it sends.
func (a *App) LogIn(role string) []string {
	a.t.Helper()
	a.Await("/health", Status(http.StatusOK))
	got := a.Send(http.MethodPost, "/api/v1/session", `{"ticket":"`+a.Ticket(role)+`"}`, "Origin", a.url)
	cookie, _, _ := strings.Cut(got.Header.Get("Set-Cookie"), ";")
	if got.Status != http.StatusOK || !strings.HasPrefix(cookie, contract.SessionCookie+"=") {
		a.t.Fatalf("logging in: %d %s", got.Status, got.Body)
	}
	return []string{"Cookie", cookie, "Origin", a.url}
}
