// Package contract is what all routes of the api have in common. It says how they are
// described (OpenAPI 3.1) and how they refuse (RFC 9457), how long and how often they
// may be asked, who may, and how their lists are paged.
//
// A route is a function from a struct of what comes in to a struct of what goes
// out. Its description is made of the two types, and so is the check of what
// comes in, so that neither can say something else than the code does.
package contract

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Base is below what all routes of this version of the contract are.
const Base = "/api/v1"

// Rules say how a route is treated before it is run.
type Rules struct {
	Class Class
	Role  Role
}

// Guard puts what Rules ask for in front of a route.
type Guard func(Rules, http.Handler) http.Handler

// API is a set of routes and their description. Routes are added before the
// first request is served; after that it is safe for concurrent use.
type API struct {
	huma  huma.API
	mux   *http.ServeMux
	guard Guard
	log   *slog.Logger
}

// huma keeps these for the whole process.
func init() {
	huma.DefaultArrayNullable = false // an empty list is [] and never null
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		return invalid(status, detail, errs)
	}
}

// New returns an API without routes, which are added to mux behind guard.
func New(mux *http.ServeMux, version string, guard Guard, log *slog.Logger) *API {
	a := &API{mux: mux, guard: guard, log: log}
	cfg := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "zr", Version: version,
				Description: "Lifecycle, health and history of the services that zr runs. Times are in UTC, RFC 3339.",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"session": {Type: "apiKey", In: "cookie", Name: SessionCookie, Description: "A session, begun with a one-time login link."},
					"token":   {Type: "http", Scheme: "bearer", Description: "A token for scripts."},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{addRequestID},
	}
	a.huma = huma.NewAPI(cfg, a)
	return a
}

// Route describes one route.
type Route struct {
	Rules
	ID      string // the name of the function that a client gets: "listServices"
	Method  string
	Path    string
	Group   string // the folder that it is in
	Summary string
	// Description says what the summary does not: order, units, what is asked.
	Description string
	Refusals    []int // the statuses of problems, besides those of its rules
	Status      int   // of success; 0 means 200, or 204 without a body
}

// Add adds a route. What run returns as an error is answered as it is where it
// is a *Problem, and otherwise as an internal one.
func Add[In, Out any](a *API, r Route, run func(context.Context, *In) (*Out, error)) {
	// What does not need the types is outside: this is compiled once for each route.
	huma.Register(a.huma, operation(r), func(ctx context.Context, in *In) (*Out, error) {
		out, err := run(ctx, in)
		return out, a.refusal(ctx, r.ID, err)
	})
}

// operation is how huma describes a route.
func operation(r Route) huma.Operation {
	op := huma.Operation{
		OperationID: r.ID, Method: r.Method, Path: r.Path, Tags: []string{r.Group}, Summary: r.Summary, Description: r.Description,
		DefaultStatus: r.Status, Errors: refusals(r), Metadata: map[string]any{"rules": r.Rules},
		MaxBodyBytes: limits[r.Class].Body,
	}
	switch r.Role {
	case Anybody:
	case Guest: // where READERS=anybody, nothing is asked for
		op.Security = []map[string][]string{{}, {"session": {string(Viewer)}}, {"token": {string(Viewer)}}}
	default:
		op.Security = []map[string][]string{{"session": {string(r.Role)}}, {"token": {string(r.Role)}}}
	}
	return op
}

// refusal is what the error of a route is answered with.
func (a *API) refusal(ctx context.Context, route string, err error) error {
	if err == nil || isProblem(err) {
		return err
	}
	if ctx.Err() != nil {
		return Refuse(http.StatusGatewayTimeout, "timeout", "the answer was not there in time")
	}
	a.log.Error("a route failed", "route", route, "error", err, "requestId", RequestID(ctx))
	return Refuse(http.StatusInternalServerError, "internal", "the api made a mistake; its log says which")
}

// refusals are the statuses that a route may refuse with.
func refusals(r Route) []int {
	all := append([]int{http.StatusTooManyRequests, http.StatusInternalServerError}, r.Refusals...)
	if r.Role != Anybody {
		all = append(all, http.StatusUnauthorized, http.StatusForbidden)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// AddPlain adds a route that OpenAPI cannot describe, such as a WebSocket or a
// page. pattern is one of http.ServeMux.
func (a *API) AddPlain(pattern string, rules Rules, h http.Handler) {
	a.mux.Handle(pattern, a.guard(rules, h))
}

// Handle puts a described route on the mux; huma calls it.
func (a *API) Handle(op *huma.Operation, run func(huma.Context)) {
	rules, _ := op.Metadata["rules"].(Rules)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { run(humago.NewContext(op, r, w)) })
	a.mux.Handle(op.Method+" "+op.Path, a.guard(rules, h))
}

// ServeHTTP serves the routes.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// Document returns the description of all routes: OpenAPI 3.1, as JSON.
func (a *API) Document() ([]byte, error) {
	document, err := json.MarshalIndent(a.huma.OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("describing the routes: %w", err)
	}
	return append(document, '\n'), nil
}
