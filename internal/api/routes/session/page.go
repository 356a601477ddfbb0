package session

import (
	_ "embed"
	"html"
	"net/http"
	"strings"

	"zr/internal/api/contract"
)

//go:embed page/login.html
var loginHTML string

//go:embed page/login.js
var loginJS []byte

// policy lets the page load its own script and send the ticket.
const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// addPage adds the page that login links lead to. What stands behind the # of a
// link reaches no server and no log of one; only the script of the page reads it.
func addPage(a *contract.API, dashboard string) {
	rules := contract.Rules{Class: contract.Read, Role: contract.Anybody}
	// html/template would keep every method of the program in it: 9 MB.
	page := []byte(strings.Replace(loginHTML, "{{dashboard}}", html.EscapeString(dashboard), 1))
	a.AddPlain("GET /login", rules, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = w.Write(page) // the client may be gone
	}))
	a.AddPlain("GET /login/login.js", rules, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(loginJS) // the client may be gone
	}))
}
