// Package services says which services run and how each of them is.
package services

import (
	"context"
	"net/http"

	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/fleet"
	"zr/internal/api/probe"
	env "zr/internal/api/routes/environments"
)

type routes struct {
	set     *environments.Set
	origins []string // of the pages that may watch
}

// Add adds the routes. Pages of the origins may watch.
func Add(a *contract.API, set *environments.Set, origins []string) {
	r := &routes{set, origins}
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Guest},
		ID:    "listServices", Method: http.MethodGet, Path: contract.Base + "/services", Group: "services",
		Summary:     "How all services are, sorted by name",
		Description: "200 also while Kubernetes or a database is away: saying so is what the answer is for.",
		Refusals:    []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusGatewayTimeout},
	}, r.list)
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Guest},
		ID:    "getService", Method: http.MethodGet, Path: contract.Base + "/services/{name}", Group: "services",
		Summary:  "How one service is, with its pods",
		Refusals: []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
	}, r.get)
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Viewer},
		ID:    "getServiceDetails", Method: http.MethodGet, Path: contract.Base + "/services/{name}/details", Group: "services",
		Summary: "What a service is made of: containers, variables, ports, probes, and what they use",
		Description: "Of secrets there are names alone; a value that looks like one is withheld. CPU and memory are those of the metrics API of the cluster, " +
			"or of the kubelets where the api may ask them, and at most a few seconds old.",
		Refusals: []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
	}, r.details)
	a.AddPlain("GET "+contract.Base+"/live/services", contract.Rules{Class: contract.Stream, Role: contract.Guest}, http.HandlerFunc(r.live))
}

var errTimeout = contract.Refuse(http.StatusGatewayTimeout, "timeout", "the services could not be read in time")

type getInput struct {
	env.Scope
	Name string `path:"name" maxLength:"253" pattern:"^[a-z0-9.-]+$"`
}

type getOutput struct{ Body fleet.Service }

// get tells a service that is not there from one that could not be seen.
func (r *routes) get(ctx context.Context, in *getInput) (*getOutput, error) {
	snapshot, err := r.snapshot(ctx, in.Scope)
	if err != nil {
		return nil, err
	}
	for _, s := range snapshot.Services {
		if s.Name == in.Name {
			return &getOutput{s}, nil
		}
	}
	if snapshot.Kubernetes.Status != probe.OK {
		return nil, contract.Refuse(http.StatusServiceUnavailable, "kubernetes_unavailable", "Kubernetes does not answer: "+snapshot.Kubernetes.Reason)
	}
	return nil, contract.Refuse(http.StatusNotFound, "not_found", "there is no such service")
}

type listOutput struct{ Body *fleet.Snapshot }

func (r *routes) list(ctx context.Context, in *env.Scope) (*listOutput, error) {
	snapshot, err := r.snapshot(ctx, *in)
	if err != nil {
		return nil, err
	}
	return &listOutput{snapshot}, nil
}

func (r *routes) snapshot(ctx context.Context, in env.Scope) (*fleet.Snapshot, error) {
	e, err := env.Of(r.set, in.Environment)
	if err != nil {
		return nil, err
	}
	snapshot, err := e.Services.Snapshot(ctx)
	if err != nil {
		return nil, errTimeout
	}
	return snapshot, nil
}
