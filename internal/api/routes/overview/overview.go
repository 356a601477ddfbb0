// Package overview says what each service uses now, and what changed it last: what the
// list of services, which changes with it alone, does not have.
package overview

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/fleet"
	"zr/internal/api/lastchange"
	"zr/internal/api/reason"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/usage"
)

// namesWithin bounds the question for names: without them the rest is answered.
const namesWithin = 2 * time.Second

type routes struct {
	set    *environments.Set
	source lastchange.Source
	log    *slog.Logger
}

// Add adds the routes.
func Add(a *contract.API, set *environments.Set, source lastchange.Source, log *slog.Logger) {
	r := &routes{set, source, log}
	contract.Add(a, contract.Route{
		Rules: contract.Rules{Class: contract.Read, Role: contract.Viewer}, // as the audit log, which the names are from
		ID:    "getOverview", Method: http.MethodGet, Path: contract.Base + "/overview", Group: "overview",
		Summary: "What each service uses now, and what changed it last, sorted by name",
		Description: "200 also while a part of it is not known, which `usageWhy` and `namesWhy` say. CPU and memory are those of the metrics API of the cluster, " +
			"or of the kubelets where the api may ask them, and at most some seconds old. They are not waited for: at first neither `usageBy` nor `usageWhy` is there.",
		Refusals: []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusGatewayTimeout},
	}, r.overview)
}

// ServicesOverview is how all services are beside their states.
type ServicesOverview struct {
	UsageBy  string            `json:"usageBy,omitempty" enum:"metrics.k8s.io,kubelet" doc:"Who tells the CPU and memory of the containers."`
	UsageWhy string            `json:"usageWhy,omitempty" doc:"Why CPU and memory are not known."`
	NamesWhy string            `json:"namesWhy,omitempty" doc:"Why it is not known now who made the last changes, and what zr dev reloaded since."`
	Services []ServiceOverview `json:"services"`
}

// ServiceOverview is one of them.
type ServiceOverview struct {
	Name   string             `json:"name"`
	Use    *fleet.Use         `json:"use,omitempty" doc:"Of its containers that run; left out where it is not known."`
	Change *lastchange.Change `json:"lastChange,omitempty" doc:"Left out where Kubernetes knows of none."`
}

type output struct{ Body ServicesOverview }

func (r *routes) overview(ctx context.Context, in *env.Scope) (*output, error) {
	e, err := env.Of(r.set, in.Environment)
	if err != nil {
		return nil, err
	}
	snapshot, err := e.Services.Snapshot(ctx)
	if err != nil {
		return nil, contract.Refuse(http.StatusGatewayTimeout, "timeout", "the services could not be read in time")
	}
	var use usage.Report
	if e.Usage != nil {
		use, _ = e.Usage.Latest()
	}
	naming, cancel := context.WithTimeout(ctx, namesWithin)
	defer cancel()
	changes, err := lastchange.Of(naming, r.source, e.Key(), snapshot.Services)
	out := ServicesOverview{UsageBy: use.By, UsageWhy: use.Why, Services: []ServiceOverview{}}
	if err != nil {
		r.log.Warn("who changed the services was not read", "error", err, "requestId", contract.RequestID(ctx))
		out.NamesWhy = "the database does not answer: " + reason.Of(err)
	}
	for _, s := range snapshot.Services {
		row := ServiceOverview{Name: s.Name}
		if use.By != "" && s.Kind != "" {
			used := s.Use(use)
			row.Use = &used
		}
		if c, known := changes[s.Name]; known {
			row.Change = &c
		}
		out.Services = append(out.Services, row)
	}
	return &output{out}, nil
}
