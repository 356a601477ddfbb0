package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ActsWithin returns records of what was done to targets, or was tried and failed: of each
// target those from its time on, until within later, and of what one did several times one
// that was done, if any was. A target that ends in a slash stands for all that begin with it. What was refused
// is left out. The newest are first; one may be there twice.
func (s *Store) ActsWithin(ctx context.Context, targets []string, since []time.Time, within time.Duration) ([]AuditRecord, error) {
	if err := s.ready(); err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	rows, err := s.pool.Query(ctx, `
SELECT a.* FROM (SELECT DISTINCT target, since FROM unnest($1::text[], $2::timestamptz[]) AS all_asked (target, since)) AS asked
CROSS JOIN LATERAL (SELECT DISTINCT ON (actor, action) id, at, actor, action, target, outcome, detail, request_id FROM audit
	WHERE at >= asked.since AND at < asked.since + make_interval(secs => $3) AND outcome IN ('done', 'failed')
		AND (target = asked.target OR asked.target LIKE '%/' AND starts_with(target, asked.target)) ORDER BY actor, action, outcome, id DESC) AS a
ORDER BY a.id DESC`, targets, since, within.Seconds())
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", classify(err))
	}
	records, err := pgx.CollectRows(rows, pgx.RowToStructByPos[AuditRecord])
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", classify(err))
	}
	return records, nil
}

// RunChange is what a run of zr last did to a service.
type RunChange struct {
	Service string
	Type    string // of the event that tells it
	User    string
	At      time.Time // by the clock of the machine of the run
	Written time.Time // by the clock of the API server, which the run asked for it; otherwise zero
}

// LastRunChanges returns, of each of some services, the last reload that did not fail, and
// the last time that its workload was written to the cluster.
func (s *Store) LastRunChanges(ctx context.Context, environment string, services []string) ([]RunChange, error) {
	if err := s.ready(); err != nil {
		return nil, fmt.Errorf("reading the events of runs: %w", err)
	}
	// The index run_events_of_services has what the words of the inner WHERE say.
	rows, err := s.pool.Query(ctx, `
SELECT last.* FROM unnest($2::text[]) AS asked (service) CROSS JOIN (VALUES ('reload'), ('service.written')) AS told (type)
CROSS JOIN LATERAL (SELECT service, type, actor, at, coalesce(data->>'written', '') FROM run_events
	WHERE environment = $1 AND service = asked.service AND type = told.type AND type IN ('reload', 'service.written') AND coalesce(data->>'error', '') = ''
	ORDER BY id DESC LIMIT 1) AS last`, environment, services)
	if err != nil {
		return nil, fmt.Errorf("reading the events of runs: %w", classify(err))
	}
	changes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c RunChange, err error) {
		var written string
		err = row.Scan(&c.Service, &c.Type, &c.User, &c.At, &written)
		c.At = c.At.UTC()
		c.Written, _ = time.Parse(time.RFC3339, written) // what is no time is none: a run may tell anything
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the events of runs: %w", classify(err))
	}
	return changes, nil
}
