// Package uptime says how healthy the services were.
package uptime

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/reason"
	env "zr/internal/api/routes/environments"
	"zr/internal/api/uptime"
)

type routes struct {
	set    *environments.Set
	source uptime.Source
	log    *slog.Logger
}

const described = "Time in which nobody looked is unknown, and never counts as healthy. PostgreSQL and Redis of the api's own environment are asked every five seconds; other services are as Kubernetes says, and have no latencies yet."

// Add adds the routes.
func Add(a *contract.API, set *environments.Set, source uptime.Source, log *slog.Logger) {
	r := &routes{set, source, log}
	rules := contract.Rules{Class: contract.Read, Role: contract.Guest}
	contract.Add(a, contract.Route{
		Rules: rules, ID: "listUptime", Method: http.MethodGet, Path: contract.Base + "/uptime", Group: "uptime",
		Summary: "How healthy all services were, sorted by name, with a short curve of each and their outages", Description: described,
		Refusals: []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
	}, r.list)
	contract.Add(a, contract.Route{
		Rules: rules, ID: "getUptime", Method: http.MethodGet, Path: contract.Base + "/services/{name}/uptime", Group: "uptime",
		Summary: "How healthy one service was, with its outages", Description: described,
		Refusals: []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
	}, r.get)
}

// Window is what both routes take.
type Window struct {
	env.Scope
	Back string `query:"window" enum:"1h,24h,7d" default:"24h" doc:"How far the curve, the latencies and the outages reach back."`
}

func (w Window) duration() time.Duration {
	return map[string]time.Duration{"1h": uptime.Hour, "24h": uptime.Day, "7d": uptime.Week}[w.Back]
}

// Overview is how healthy all services were.
type Overview struct {
	At       time.Time        `json:"at"`
	Services []uptime.Summary `json:"services"`
	Outages  []ServiceOutage  `json:"outages" doc:"Those of all services in the asked window, the newest first, 100 at most."`
}

// ServiceOutage is one of a service.
type ServiceOutage struct {
	Service string `json:"service"`
	uptime.Outage
}

// maxOutages is as many as a person reads through.
const maxOutages = 100

type listOutput struct{ Body Overview }

func (r *routes) list(ctx context.Context, in *Window) (*listOutput, error) {
	now := time.Now().UTC()
	reports, err := r.read(ctx, *in, "", now)
	if err != nil {
		return nil, err
	}
	o := Overview{At: now, Services: []uptime.Summary{}, Outages: []ServiceOutage{}}
	for _, report := range reports {
		o.Services = append(o.Services, report.Summary)
		for _, outage := range report.Outages {
			o.Outages = append(o.Outages, ServiceOutage{report.Service, outage})
		}
	}
	slices.SortStableFunc(o.Outages, func(a, b ServiceOutage) int { return b.From.Compare(a.From) })
	o.Outages = o.Outages[:min(len(o.Outages), maxOutages)]
	return &listOutput{o}, nil
}

type getInput struct {
	Window
	Name string `path:"name" maxLength:"253" pattern:"^[a-z0-9.-]+$"`
}

type getOutput struct{ Body uptime.Report }

func (r *routes) get(ctx context.Context, in *getInput) (*getOutput, error) {
	reports, err := r.read(ctx, in.Window, in.Name, time.Now().UTC())
	if err != nil {
		return nil, err
	}
	if len(reports) == 0 {
		return nil, contract.Refuse(http.StatusNotFound, "not_found", "no such service was seen in the last seven days")
	}
	return &getOutput{reports[0]}, nil
}

func (r *routes) read(ctx context.Context, in Window, name string, now time.Time) ([]uptime.Report, error) {
	e, err := env.Of(r.set, in.Environment)
	if err != nil {
		return nil, err
	}
	reports, err := uptime.Reports(ctx, r.source, e.Key(), name, in.duration(), now)
	if err != nil {
		r.log.Warn("the uptime was not read", "error", err, "requestId", contract.RequestID(ctx))
		return nil, contract.Refuse(http.StatusServiceUnavailable, "database_unavailable", "the database does not answer: "+reason.Of(err))
	}
	return reports, nil
}
