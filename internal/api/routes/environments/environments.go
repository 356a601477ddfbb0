// Package environments lists the environments that the api serves, and says which of
// them a request is about.
package environments

import (
	"context"
	"net/http"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/environments"
)

// Scope is what every route takes that is about one environment.
type Scope struct {
	Environment string `query:"environment" maxLength:"63" pattern:"^[a-z0-9-]*$" doc:"The name of one of listEnvironments; without it, the first of them."`
}

var errUnknown = contract.Refuse(http.StatusNotFound, "not_found", environments.ErrUnknown.Error())

// Of returns the environment that a request is about, or a problem.
func Of(set *environments.Set, name string) (*environments.Environment, error) {
	e, err := set.Find(name)
	if err != nil {
		return nil, errUnknown
	}
	return e, nil
}

type routes struct{ set *environments.Set }

// Add adds the routes.
func Add(a *contract.API, set *environments.Set) {
	r := &routes{set}
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Guest},
		ID:    "listEnvironments", Method: http.MethodGet, Path: contract.Base + "/environments", Group: "environments",
		Summary: "The environments that are served, sorted by name",
	}, r.list)
}

// Environments are those that are served.
type Environments struct {
	Environments []Environment `json:"environments"`
}

// Environment is one that is served.
type Environment struct {
	Name string `json:"name" doc:"Of its namespace."`
	Set  string `json:"set,omitempty" doc:"What zr calls it: the project and the environment."`
	// Expires is nil where the namespace is kept for good.
	Expires *time.Time `json:"expiresAt,omitempty" doc:"When its time to live ends, or ended: its services are stopped then, and zr up renews it."`
}

type listOutput struct{ Body Environments }

func (r *routes) list(context.Context, *struct{}) (*listOutput, error) {
	out := Environments{Environments: []Environment{}}
	for _, e := range r.set.List() {
		out.Environments = append(out.Environments, Environment{e.Name, e.Set, e.Life.Ends()})
	}
	return &listOutput{out}, nil
}
