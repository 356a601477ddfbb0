// Package session begins and ends sessions: a login link leads to a page, which
// sends the ticket behind its # and gets a cookie for it.
package session

import (
	"context"
	"net/http"
	"strings"

	"zr/internal/api/access"
	"zr/internal/api/contract"
	"zr/internal/api/store/postgres"
)

type routes struct{ gate *access.Gate }

// Add adds the routes. A page that has logged in goes on to dashboard.
func Add(a *contract.API, gate *access.Gate, dashboard string) {
	r := &routes{gate}
	path, group := contract.Base+"/session", "session"
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Login, Role: contract.Anybody},
		ID:    "logIn", Method: http.MethodPost, Path: path, Group: group, Summary: "Begins a session with the ticket of a login link",
		Description: "A ticket can be used once. The answer sets the cookie of the session.",
		Refusals:    []int{http.StatusUnauthorized, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, r.logIn)
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Viewer},
		ID:    "getSession", Method: http.MethodGet, Path: path, Group: group, Summary: "Who the caller is, and what he may do",
		Refusals: []int{http.StatusServiceUnavailable},
	}, r.get)
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Form, Role: contract.Viewer},
		ID:    "logOut", Method: http.MethodDelete, Path: path, Group: group, Summary: "Ends the session",
		Refusals: []int{http.StatusServiceUnavailable},
	}, r.logOut)
	addPage(a, dashboard)
}

type logInInput struct {
	Origin string `header:"Origin"`
	Body   struct {
		Ticket string `json:"ticket" minLength:"1" maxLength:"1024" doc:"What stands behind the # of the login link."`
	}
}

type logInOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      access.Caller
}

func (r *routes) logIn(ctx context.Context, in *logInInput) (*logInOutput, error) {
	secret, caller, err := r.gate.LogIn(ctx, in.Body.Ticket)
	if err != nil {
		r.gate.Record(ctx, postgres.AuditRecord{Actor: "nobody", Action: "logIn", Outcome: postgres.Refused, Detail: err.Error()})
		return nil, err
	}
	r.gate.Record(ctx, postgres.AuditRecord{Actor: caller.Name, Action: "logIn", Target: string(caller.Role), Outcome: postgres.Done})
	cookie := sessionCookie(in.Origin, secret)
	cookie.MaxAge = int(access.SessionLife.Seconds())
	return &logInOutput{cookie, caller}, nil
}

// sessionCookie is read by no script, and sent by no page of another site.
func sessionCookie(origin, value string) http.Cookie {
	return http.Cookie{Name: contract.SessionCookie, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: strings.HasPrefix(origin, "https://")}
}

type getOutput struct{ Body access.Caller }

func (r *routes) get(ctx context.Context, _ *struct{}) (*getOutput, error) {
	return &getOutput{access.From(ctx)}, nil
}

type logOutInput struct {
	Origin  string `header:"Origin"`
	Session string `cookie:"zr_session"`
}

type logOutOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (r *routes) logOut(ctx context.Context, in *logOutInput) (*logOutOutput, error) {
	if err := r.gate.LogOut(ctx, in.Session); err != nil {
		return nil, err
	}
	r.gate.Record(ctx, postgres.AuditRecord{Action: "logOut", Outcome: postgres.Done})
	cookie := sessionCookie(in.Origin, "")
	cookie.MaxAge = -1
	return &logOutOutput{cookie}, nil
}
