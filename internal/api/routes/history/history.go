// Package history says how the services were.
package history

import (
	"context"
	"log/slog"
	"net/http"

	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/reason"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/store/postgres"
)

// Source is what the answers are made of. *postgres.Store is one.
type Source interface {
	History(ctx context.Context, environment, service string, before int64, limit int) ([]postgres.Event, error)
}

type routes struct {
	set    *environments.Set
	source Source
	log    *slog.Logger
}

// Add adds the routes.
func Add(a *contract.API, set *environments.Set, source Source, log *slog.Logger) {
	r := &routes{set, source, log}
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Guest},
		ID:    "listHistory", Method: http.MethodGet, Path: contract.Base + "/history", Group: "history",
		Summary:  "Changes of the services' states, newest first",
		Refusals: []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, r.list)
}

type listInput struct {
	env.Scope
	contract.Page
	Service string `query:"service" maxLength:"253" pattern:"^[a-z0-9.-]*$" doc:"Only the changes of this service."`
}

// Changes is a page of the history.
type Changes struct {
	Events []postgres.Event `json:"events"`
	Next   string           `json:"next,omitempty" doc:"The cursor of the page after this one."`
}

type listOutput struct{ Body Changes }

func (r *routes) list(ctx context.Context, in *listInput) (*listOutput, error) {
	e, err := env.Of(r.set, in.Environment)
	if err != nil {
		return nil, err
	}
	before, err := in.Before()
	if err != nil {
		return nil, err
	}
	events, err := r.source.History(ctx, e.Key(), in.Service, before, in.Limit)
	if err != nil {
		r.log.Warn("the history was not read", "error", err, "requestId", contract.RequestID(ctx))
		return nil, contract.Refuse(http.StatusServiceUnavailable, "database_unavailable", "the database does not answer: "+reason.Of(err))
	}
	page := Changes{Events: append([]postgres.Event{}, events...)} // an empty list is [] in JSON
	if len(events) > 0 {
		page.Next = in.Next(len(events), events[len(events)-1].ID)
	}
	return &listOutput{page}, nil
}
