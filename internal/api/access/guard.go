package access

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"zr/internal/api/contract"
)

type callerKey struct{}

// From returns who sent the request that ctx is of; nobody in particular has no
// name and no role.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// Guard lets through who has the role that a route wants. A page must say its
// origin wherever it changes something or opens a WebSocket; whether that origin is
// one of ours was checked before. What is for operators is not done while the database is
// away: it could not be recorded.
func (g *Gate) Guard(role contract.Role, next http.Handler) http.Handler {
	switch {
	case role == contract.Anybody, role == contract.Guest && g.Guests:
		return next
	case role == contract.Guest:
		role = contract.Viewer
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, byCookie, err := g.identify(r)
		switch {
		case err != nil:
		case !c.Role.Covers(role) && c.recalled:
			err = errTokens
		case !c.Role.Covers(role):
			err = contract.Refuse(http.StatusForbidden, "role_too_low", "this is for the role "+string(role)+", and yours is "+string(c.Role))
		case byCookie && !reads(r) && r.Header.Get("Origin") == "":
			err = contract.Refuse(http.StatusForbidden, "origin_missing", "a session may change something only with an Origin header; a script uses a token")
		case role == contract.Operator && acts(r) && g.store.Check(r.Context()) != nil:
			err = errActs
		}
		if p, refused := errors.AsType[*contract.Problem](err); refused {
			g.Refused(r, c.Name, p)
			contract.Write(w, r, p)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
	})
}

// reads says whether a request only reads, and ends.
func reads(r *http.Request) bool { return !acts(r) && r.Header.Get("Upgrade") == "" }

// acts says whether a request changes something.
func acts(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// identify returns who sent a request. A token goes before a cookie.
func (g *Gate) identify(r *http.Request) (c Caller, byCookie bool, err error) {
	if secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		c, err = g.byToken(r.Context(), secret)
		return c, false, err
	}
	cookies := r.CookiesNamed(contract.SessionCookie)
	if len(cookies) != 1 { // of two, one was set by another page of this host
		return c, false, errNotLoggedIn
	}
	c, err = g.bySession(r.Context(), cookies[0].Value)
	return c, true, err
}
