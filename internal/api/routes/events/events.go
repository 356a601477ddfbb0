// Package events answers what Kubernetes tells of a service: scheduled, pulled, killed,
// and why not.
package events

import (
	"context"
	"log/slog"
	"net/http"
	"slices"

	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/fleet"
	"zr/internal/api/probe"
	"zr/internal/api/reason"
	env "zr/internal/api/routes/environments"
)

type routes struct {
	set *environments.Set
	log *slog.Logger
}

// Add adds the route.
func Add(a *contract.API, set *environments.Set, log *slog.Logger) {
	r := &routes{set, log}
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Guest},
		ID:    "listEvents", Method: http.MethodGet, Path: contract.Base + "/services/{name}/events", Group: "services",
		Summary:     "What Kubernetes tells of a service and its pods, the newest first",
		Description: "200 at most. Kubernetes forgets them, by default after an hour.",
		Refusals:    []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
	}, r.list)
}

type input struct {
	env.Scope
	Name string `path:"name" maxLength:"253" pattern:"^[a-z0-9.-]+$"`
}

// Events are those of one service.
type Events struct {
	Events []fleet.KubernetesEvent `json:"events"`
}

type output struct{ Body Events }

func (r *routes) list(ctx context.Context, in *input) (*output, error) {
	e, err := env.Of(r.set, in.Environment)
	if err != nil {
		return nil, err
	}
	snapshot, err := e.Services.Snapshot(ctx)
	if err != nil {
		return nil, contract.Refuse(http.StatusGatewayTimeout, "timeout", "the services could not be read in time")
	}
	i := slices.IndexFunc(snapshot.Services, func(s fleet.Service) bool { return s.Name == in.Name })
	switch {
	case snapshot.Kubernetes.Status != probe.OK:
		return nil, unavailable(snapshot.Kubernetes.Reason)
	case i < 0:
		return nil, contract.Refuse(http.StatusNotFound, "not_found", "there is no such service")
	}
	events, err := e.Services.Events(ctx, snapshot.Services[i])
	if err != nil {
		r.log.Warn("the events were not read", "error", err, "requestId", contract.RequestID(ctx))
		return nil, unavailable(reason.Of(err))
	}
	return &output{Events{events}}, nil
}

func unavailable(why string) error {
	return contract.Refuse(http.StatusServiceUnavailable, "kubernetes_unavailable", "Kubernetes does not answer: "+why)
}
