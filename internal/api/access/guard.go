package access

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"zr/internal/api/contract"
	"zr/internal/api/store/postgres"
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
// one of ours was checked before.
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
func reads(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.Header.Get("Upgrade") == ""
}

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

// Refused records that a request was refused. Without a name the caller is its
// address.
func (g *Gate) Refused(r *http.Request, name string, p *contract.Problem) {
	if !g.refusals.Allow() {
		g.log.Warn("a refusal is not in the audit log: there are too many", "path", r.URL.Path, "requestId", contract.RequestID(r.Context()))
		return
	}
	if name == "" {
		name, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	g.Record(r.Context(), postgres.AuditRecord{Actor: name, Action: r.Method, Target: fit(r.URL.Path), Outcome: postgres.Refused, Detail: p.Detail})
}

// longest is how much of a path is recorded.
const longest = 200

// fit makes a text of a stranger fit for PostgreSQL, which holds neither NUL nor
// what is not UTF-8.
func fit(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text[:min(len(text), longest)], "\x00", ""), "")
}
