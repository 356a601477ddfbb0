package api

import (
	"log/slog"
	"net/http"

	"zr/internal/api/access"
	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/lastchange"
	"zr/internal/api/metrics"
	"zr/internal/api/routes/activity"
	"zr/internal/api/routes/configuration"
	devroutes "zr/internal/api/routes/dev"
	"zr/internal/api/routes/docs"
	environmentroutes "zr/internal/api/routes/environments"
	"zr/internal/api/routes/events"
	"zr/internal/api/routes/health"
	"zr/internal/api/routes/history"
	lifecycleroutes "zr/internal/api/routes/lifecycle"
	"zr/internal/api/routes/logs"
	metricsroutes "zr/internal/api/routes/metrics"
	"zr/internal/api/routes/overview"
	"zr/internal/api/routes/services"
	"zr/internal/api/routes/session"
	"zr/internal/api/routes/tokens"
	uptimeroutes "zr/internal/api/routes/uptime"
	"zr/internal/api/server"
	"zr/internal/api/settings"
	"zr/internal/api/store/cache"
	"zr/internal/api/traces"
	"zr/internal/api/uptime"
)

// sources are what the routes answer from.
type sources struct {
	health   *health.Source
	served   *environments.Set
	history  history.Source
	uptime   uptime.Source
	changes  lastchange.Source
	counted  *metrics.Set
	traced   *traces.Tracer
	gate     *access.Gate
	tokens   tokens.Store
	activity activity.Source
	keys     cache.Cache
	// dashboard is the origin that a page goes to when it has logged in.
	dashboard string
	logs      logs.Source
	dev       devroutes.Source
}

// newContract returns all routes, in the order of the description.
func newContract(from sources, mux *http.ServeMux, guard contract.Guard, log *slog.Logger) (*contract.API, error) {
	a := contract.New(mux, version, guard, log)
	health.Add(a, from.health)
	environmentroutes.Add(a, from.served)
	services.Add(a, from.served, from.logs.Origins)
	overview.Add(a, from.served, from.changes, log)
	events.Add(a, from.served, log)
	history.Add(a, from.served, from.history, log)
	uptimeroutes.Add(a, from.served, from.uptime, log)
	session.Add(a, from.gate, from.dashboard)
	tokens.Add(a, from.gate, from.tokens, log)
	activity.Add(a, from.activity, log)
	logs.Add(a, from.logs, log)
	lifecycleroutes.Add(a, from.served, from.gate, from.keys, log)
	devroutes.Add(a, from.dev, log)
	configuration.Add(a, from.served, from.gate, from.keys, log)
	metricsroutes.Add(a, from.counted)
	return a, docs.Add(a)
}

// Document returns the description of the api: OpenAPI 3.1, as JSON.
func Document() ([]byte, error) {
	unguarded := func(_ contract.Rules, h http.Handler) http.Handler { return h }
	a, err := newContract(sources{}, http.NewServeMux(), unguarded, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return a.Document()
}

// newHandler returns all routes within all limits.
func newHandler(s settings.Settings, from sources, log *slog.Logger) (http.Handler, error) {
	mux := http.NewServeMux()
	if _, err := newContract(from, mux, server.Guard(from.gate, from.counted), log); err != nil {
		return nil, err
	}
	return server.Handler(mux, server.Allowed{Origins: s.AllowedOrigins, Hosts: s.AllowedHosts}, from.gate, from.counted, from.traced, log), nil
}
