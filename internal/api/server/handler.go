package server

import (
	"log/slog"
	"net/http"
	"slices"

	"zr/internal/api/access"
	"zr/internal/api/contract"
	"zr/internal/api/metrics"
	"zr/internal/api/traces"
)

// Allowed says whose pages may read the answers, and under which names the api may be
// called.
type Allowed struct {
	Origins []string
	Hosts   []string // besides addresses, localhost and names inside the cluster
}

// Guard returns what keeps each route within the limits of its class, and to callers of
// its role. Streams are counted.
func Guard(gate *access.Gate, counted *metrics.Set) contract.Guard {
	rates, open := newRates(), newOpen()
	return func(rules contract.Rules, h http.Handler) http.Handler {
		limits := rules.Class.Limits()
		if rules.Class == contract.Stream {
			h = countStreams(counted, h)
		}
		return limitRate(rates, rules.Class, limit(limits, gate.Guard(rules.Role, limitOpen(open, limits.Open, h))))
	}
}

// Handler returns the routes of a mux, with an answer for what is none of them, and with
// what holds for every request around them.
func Handler(mux *http.ServeMux, allowed Allowed, gate *access.Gate, counted *metrics.Set, traced *traces.Tracer, log *slog.Logger) http.Handler {
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { nothingThere(mux, w, r) })

	h := checkOrigin(allowed.Origins, gate, checkForm(mux))
	h = checkHost(allowed.Hosts, gate, h)
	h = recordLimits(gate, h)
	h = secure(h)
	h = recoverPanics(log, h)
	h = logRequests(log, counted, traced, h)
	return identify(h)
}

// methods are those that routes have.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// nothingThere answers what no route matches. It matches every path itself, so
// known paths with another method are told apart here.
func nothingThere(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range methods {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		contract.Write(w, r, contract.Refuse(http.StatusNotFound, "not_found", "there is nothing at this path"))
		return
	}
	w.Header()["Allow"] = slices.Compact(allowed)
	contract.Write(w, r, contract.Refuse(http.StatusMethodNotAllowed, "method_not_allowed", "this path does not take this method"))
}
