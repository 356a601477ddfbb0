package api

import (
	"context"
	"runtime"

	"zr/internal/api/access"
	"zr/internal/api/environments"
	"zr/internal/api/metrics"
	"zr/internal/api/probe"
)

// built is a source of what runs.
func built(hash string) metrics.Source {
	return func(_ context.Context, p *metrics.Page) {
		p.Gauge("zr_api_build_info", 1, "version", version, "build", hash, "go", runtime.Version())
	}
}

// dependencies is a source of which of them can be used.
func (p *parts) dependencies(ctx context.Context, page *metrics.Page) {
	page.Gauge("zr_api_schema_version", float64(p.db.SchemaVersion()))
	round, err := p.probes.Round(ctx)
	if err != nil {
		return // nobody waits any more
	}
	for name, result := range round {
		page.Flag("zr_api_dependency_up", result.Status == probe.OK, "dependency", name)
	}
}

// pools is a source of how much of them is used.
func (p *parts) pools(_ context.Context, page *metrics.Page) {
	pool := func(name string, most, used, idle int, waited int64) {
		page.Gauge("zr_api_pool_connections_max", float64(most), "pool", name)
		page.Gauge("zr_api_pool_connections", float64(used), "pool", name, "state", "used")
		page.Gauge("zr_api_pool_connections", float64(idle), "pool", name, "state", "idle")
		page.Counter("zr_api_pool_waits_total", waited, "pool", name)
	}
	db, lines, redis := p.db.Use(), p.lines.Use(), p.shared.Use()
	pool("postgres", db.Most, db.Used, db.Idle, db.Waited)
	pool("logs", lines.Most, lines.Used, lines.Idle, lines.Waited)
	pool("redis", redis.Most, redis.Used, redis.Idle, redis.Waited)
}

// work is a source of what the api does by itself.
func (p *parts) work(served *environments.Set, gate *access.Gate) metrics.Source {
	return func(_ context.Context, page *metrics.Page) {
		attached, replicas := p.devs.Counts()
		page.Gauge("zr_api_attached_runs", float64(attached))
		page.Gauge("zr_api_other_replicas", float64(replicas))
		waiting, skipped := gate.Audited()
		page.Gauge("zr_api_audit_records_waiting", float64(waiting))
		page.Counter("zr_api_audit_records_skipped_total", skipped)
		page.Flag("zr_api_leader", p.db.Leads("uptime"), "work", "uptime", "environment", "")
		for _, e := range served.List() {
			logs := e.Logs.Stats()
			page.Flag("zr_api_leader", logs.Leading, "work", "logs", "environment", e.Name)
			page.Counter("zr_api_log_lines_received_total", logs.Received, "environment", e.Name)
			page.Counter("zr_api_log_lines_stored_total", logs.Stored, "environment", e.Name)
			page.Counter("zr_api_log_lines_skipped_total", logs.Skipped, "environment", e.Name)
			page.Gauge("zr_api_log_lines_waiting", float64(logs.Waiting), "environment", e.Name)
			page.Gauge("zr_api_log_waiting_bytes", float64(logs.WaitingBytes), "environment", e.Name)
			for resource, restarts := range e.Services.WatchRestarts() {
				page.Counter("zr_api_watch_restarts_total", restarts, "environment", e.Name, "resource", resource)
			}
		}
	}
}
