package server

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"zr/internal/api/contract"
)

// single are the headers of which a second one is an attempt to have two readers
// see two requests.
var single = []string{"Origin", "Authorization", "Content-Type", "Idempotency-Key"}

// checkForm refuses what no client of ours sends: a path that leads elsewhere than
// it says, text that PostgreSQL cannot hold, a query that is half ignored, a header
// twice.
func checkForm(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !cleanPath(r.URL.Path) {
			contract.Write(w, r, contract.Refuse(http.StatusNotFound, "not_found", "there is nothing at this path"))
			return
		}
		if what := malformed(r); what != "" {
			contract.Write(w, r, contract.Refuse(http.StatusUnprocessableEntity, "invalid", what))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// cleanPath says whether a path is the shortest one to what it names. Otherwise
// http.ServeMux would redirect to that.
func cleanPath(p string) bool {
	clean := path.Clean(p)
	return strings.HasPrefix(p, "/") && (p == clean || clean != "/" && p == clean+"/")
}

// malformed says what is wrong with a request, or "".
func malformed(r *http.Request) string {
	if !storable(r.URL.Path) || strings.ContainsFunc(r.URL.Path, unicode.IsControl) {
		return "the path holds a control character, or what is not UTF-8"
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "the query cannot be read"
	}
	for name, values := range query {
		if !storable(name) || !storable(strings.Join(values, "")) {
			return "the query holds a NUL, or what is not UTF-8"
		}
	}
	for _, name := range single {
		if len(r.Header[name]) > 1 {
			return "the header " + name + " is there more than once"
		}
	}
	return ""
}

// storable says whether PostgreSQL can hold a text.
func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }
