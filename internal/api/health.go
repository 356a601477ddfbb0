package api

import (
	"net/http"
	"time"

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

// health is the answer of GET /health. It is open to anybody, so it carries
// nothing that helps to get in: no address, no user, no text of an error.
type health struct {
	Status  string      `json:"status"`
	Reason  string      `json:"reason,omitempty"`
	Version string      `json:"version"`
	Build   string      `json:"build,omitempty"`
	Uptime  float64     `json:"uptime"` // seconds
	Checks  probe.Round `json:"checks,omitempty"`
}

// getHealth says whether the api can do all of its work.
func (a *routes) getHealth(w http.ResponseWriter, r *http.Request) {
	h := health{Version: version, Build: a.settings.Build, Uptime: a.uptime()}
	round, err := a.probes.Round(r.Context())
	if err != nil { // the caller is gone, or took longer than any check may
		h.Status, h.Reason = statusDown, reason.Of(err)
	} else {
		h.Status, h.Checks = overall(round), round
	}
	if a.stopping.Load() {
		h.Status, h.Reason = statusDown, reason.Stopping
	}
	code := http.StatusOK
	if h.Status != statusOK {
		code = http.StatusServiceUnavailable
	}
	answer(w, code, h)
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

// getLive says that the process answers. The kubelet restarts what does not;
// a database that is away is no reason to.
func (a *routes) getLive(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, health{Status: statusOK, Version: version, Build: a.settings.Build, Uptime: a.uptime()})
}

// uptime returns the age of the process in seconds, to the millisecond.
func (a *routes) uptime() float64 { return float64(time.Since(a.started).Milliseconds()) / 1000 }
