package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Acts returns the records that have some keys, in no order. One that is still to be written
// is not there.
func (s *Store) Acts(ctx context.Context, keys [][16]byte) ([]AuditRecord, error) {
	if err := s.ready(); err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	rows, err := s.pool.Query(ctx, `SELECT key, at, actor, action, target, outcome FROM audit WHERE key = ANY($1::uuid[])`, keys)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", classify(err))
	}
	records, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r AuditRecord, err error) {
		return r, row.Scan(&r.Key, &r.At, &r.Actor, &r.Action, &r.Target, &r.Outcome)
	})
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
