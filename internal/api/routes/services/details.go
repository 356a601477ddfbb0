package services

import (
	"context"
	"net/http"

	"zr/internal/api/contract"
	"zr/internal/api/fleet"
	"zr/internal/api/reason"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/usage"
)

type detailsOutput struct{ Body *fleet.Details }

func (r *routes) details(ctx context.Context, in *getInput) (*detailsOutput, error) {
	e, err := env.Of(r.set, in.Environment)
	if err != nil {
		return nil, err
	}
	if _, err := e.Services.Snapshot(ctx); err != nil { // there is something to look at
		return nil, errTimeout
	}
	var use usage.Report
	if e.Usage != nil {
		if use, err = e.Usage.Report(ctx); err != nil {
			return nil, errTimeout
		}
	}
	d, err := e.Services.Details(ctx, in.Name, use)
	if err != nil {
		return nil, contract.Refuse(http.StatusServiceUnavailable, "kubernetes_unavailable", "Kubernetes does not answer: "+reason.Of(err))
	}
	if d == nil {
		return nil, contract.Refuse(http.StatusNotFound, "not_found", "there is no such service")
	}
	return &detailsOutput{d}, nil
}
