// Package metrics answers what the api counts.
package metrics

import (
	"net/http"

	"zr/internal/api/contract"
	"zr/internal/api/metrics"
)

// Add adds the route. It stands outside of the contract's versions, where Prometheus looks
// for it.
func Add(a *contract.API, counted *metrics.Set) {
	a.AddPlain("GET /metrics", contract.Rules{Class: contract.Read, Role: contract.Viewer}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		counted.Write(r.Context(), w)
	}))
}
