package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"zr/internal/api/fleet"
	"zr/internal/api/probe"
	"zr/internal/api/store/postgres"
)

// history is what the routes read from the database.
type history interface {
	History(ctx context.Context, service string, limit int) ([]postgres.Event, error)
}

// routes are the handlers and what they answer from.
type routes struct {
	settings Settings
	log      *slog.Logger
	probes   *probe.Set
	services *fleet.Reader
	history  history
	started  time.Time
	stopping atomic.Bool // set when the process was told to stop
}

// handler returns all routes within all limits.
func (a *routes) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", a.getHealth)
	mux.HandleFunc("GET /health/live", a.getLive)
	mux.HandleFunc("GET /api/v1/services", a.getServices)
	mux.HandleFunc("GET /api/v1/history", a.getHistory)
	mux.HandleFunc("/", a.notFound)

	var h http.Handler = limit(mux)
	h = checkOrigin(a.settings.AllowedOrigins, h)
	h = checkHost(a.settings.AllowedHosts, h)
	h = secure(h)
	h = recoverPanics(a.log, h)
	h = logRequests(a.log, h)
	return identify(h)
}

// notFound also takes known paths with another method, since it matches
// everything: those are told apart here.
func (a *routes) notFound(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/health", "/health/live", "/api/v1/services", "/api/v1/history":
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, r, http.StatusMethodNotAllowed, "method_not_allowed", "this path can only be read")
	default:
		refuse(w, r, http.StatusNotFound, "not_found", "there is nothing at this path")
	}
}
