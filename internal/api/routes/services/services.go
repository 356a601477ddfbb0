// Package services says which services run and how each of them is.
package services

import (
	"context"
	"net/http"

	"zr/internal/api/contract"
	"zr/internal/api/fleet"
)

// Source is what the answers are made of. *fleet.Reader is one.
type Source interface {
	Snapshot(ctx context.Context) (*fleet.Snapshot, error)
}

type routes struct{ source Source }

// Add adds the routes.
func Add(a *contract.API, source Source) {
	r := &routes{source}
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Anybody},
		ID:    "listServices", Method: http.MethodGet, Path: contract.Base + "/services", Group: "services",
		Summary:     "How all services are, sorted by name",
		Description: "200 also while Kubernetes or a database is away: saying so is what the answer is for.",
		Refusals:    []int{http.StatusGatewayTimeout},
	}, r.list)
}

type listOutput struct{ Body *fleet.Snapshot }

func (r *routes) list(ctx context.Context, _ *struct{}) (*listOutput, error) {
	snapshot, err := r.source.Snapshot(ctx)
	if err != nil {
		return nil, contract.Refuse(http.StatusGatewayTimeout, "timeout", "the services could not be read in time")
	}
	return &listOutput{snapshot}, nil
}
