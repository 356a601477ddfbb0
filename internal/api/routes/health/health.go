// Package health says whether the api can do its work.
package health

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/probe"
	"zr/internal/api/reason"
)

// The statuses of the api. Only "ok" is answered with 200: whoever waits for
// the api, a gate or a readiness probe, waits for all that it needs.
const (
	statusOK       = "ok"       // everything can be used
	statusDegraded = "degraded" // a dependency is missing: what does not need it still works
	statusDown     = "down"     // all dependencies are missing, or the api is about to stop
)

// Health is how the api is. It is open to anybody, so it carries nothing that
// helps to get in: no address, no user, no text of an error.
type Health struct {
	Status  string      `json:"status" enum:"ok,degraded,down"`
	Reason  string      `json:"reason,omitempty"`
	Version string      `json:"version"`
	Build   string      `json:"build,omitempty" doc:"Hash of the inputs that the running code was built from."`
	Uptime  float64     `json:"uptime" doc:"Seconds."`
	Checks  probe.Round `json:"checks,omitempty" doc:"What each dependency answered, by its name."`
}

// Source is what the answers are made of.
type Source struct {
	Probes   *probe.Set
	Version  string
	Build    string
	Started  time.Time
	Stopping atomic.Bool // set when the process was told to stop
}

type output struct {
	Status int
	Body   Health
}

// Add adds the routes. Those of the kubelet and of zr's gate stand outside of
// the contract's versions: an image and its manifest meet there.
func Add(a *contract.API, s *Source) {
	rules := contract.Rules{Class: contract.Probe, Role: contract.Anybody}
	add := func(id, path, summary string, run func(context.Context, *struct{}) (*output, error)) {
		contract.Add(a, contract.Route{Rules: rules, ID: id, Method: http.MethodGet, Path: path, Group: "health", Summary: summary}, run)
	}
	add("getHealth", contract.Base+"/health", "Whether the api can do all of its work: 200, or 503 with what it lacks", s.health)
	add("getReadiness", "/health", "The same, for readiness probes", s.health)
	add("getLiveness", "/health/live", "That the process answers, whatever it lacks", s.live)
}

func (s *Source) health(ctx context.Context, _ *struct{}) (*output, error) {
	h := s.self()
	round, err := s.Probes.Round(ctx)
	if err != nil { // the caller is gone, or took longer than any check may
		h.Status, h.Reason = statusDown, reason.Of(err)
	} else {
		h.Status, h.Checks = overall(round), round
	}
	if s.Stopping.Load() {
		h.Status, h.Reason = statusDown, reason.Stopping
	}
	code := http.StatusOK
	if h.Status != statusOK {
		code = http.StatusServiceUnavailable
	}
	return &output{code, h}, nil
}

func overall(round probe.Round) string {
	var down int
	for _, result := range round {
		if result.Status != probe.OK {
			down++
		}
	}
	switch down {
	case 0:
		return statusOK
	case len(round):
		return statusDown
	}
	return statusDegraded
}

// live answers for the process alone. The kubelet restarts what does not; a
// database that is away is no reason to.
func (s *Source) live(context.Context, *struct{}) (*output, error) {
	return &output{http.StatusOK, s.self()}, nil
}

func (s *Source) self() Health {
	uptime := float64(time.Since(s.Started).Milliseconds()) / 1000 // to the millisecond
	return Health{Status: statusOK, Version: s.Version, Build: s.Build, Uptime: uptime}
}
