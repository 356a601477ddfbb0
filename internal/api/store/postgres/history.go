package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Observation is the state that a service was seen in.
type Observation struct {
	Environment string // of the service; empty for the api's own
	Service     string
	State       string
	Reason      string // why it is not healthy, one word; or empty
	Message     string // the same in a sentence; or empty
	Build       string // hash of the code that it runs, where that is known
	At          time.Time
}

// Event is a change of a service's state, its reason, or its build.
type Event struct {
	ID       int64     `json:"id"`
	Service  string    `json:"service"`
	State    string    `json:"state" enum:"pending,starting,healthy,unhealthy,removed"`
	Previous string    `json:"previous,omitempty" enum:"pending,starting,healthy,unhealthy,removed"` // the state before
	Reason   string    `json:"reason,omitempty"`
	Message  string    `json:"message,omitempty"`
	Build    string    `json:"build,omitempty"`
	At       time.Time `json:"at"`
}

// record writes an event, in one statement, only where the observation is newer than
// the last one and differs from it. Replicas that see the same change at the same time
// wait for each other's row, and the second finds nothing to do.
const record = `
WITH changed AS (
	INSERT INTO service_health AS last (environment, service, state, reason, message, build, observed_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (environment, service) DO UPDATE SET
		state = EXCLUDED.state, reason = EXCLUDED.reason, message = EXCLUDED.message,
		build = EXCLUDED.build, observed_at = EXCLUDED.observed_at
	WHERE last.observed_at < EXCLUDED.observed_at
	  AND (last.state, last.reason, last.build) IS DISTINCT FROM (EXCLUDED.state, EXCLUDED.reason, EXCLUDED.build)
	RETURNING environment, service, state, reason, message, build, observed_at)
INSERT INTO service_health_events (environment, service, state, reason, message, build, at) SELECT * FROM changed`

// Record stores the observations that are changes, all or none, and returns
// how many those were. It is safe to call from several replicas, and again
// with the same observations.
func (s *Store) Record(ctx context.Context, seen []Observation) (int, error) {
	if err := s.ready(); err != nil {
		return 0, fmt.Errorf("recording health: %w", err)
	}
	var changes int
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		changes = 0
		for _, o := range seen {
			tag, err := tx.Exec(ctx, record, o.Environment, o.Service, o.State, o.Reason, o.Message, o.Build, o.At)
			if err != nil {
				return err
			}
			changes += int(tag.RowsAffected())
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("recording health: %w", classify(err))
	}
	return changes, nil
}

// History returns the last limit events of an environment, newest first, of one service or,
// where service is empty, of all; where before is not 0, only those whose ids are
// below it.
func (s *Store) History(ctx context.Context, environment, service string, before int64, limit int) ([]Event, error) {
	if err := s.ready(); err != nil {
		return nil, fmt.Errorf("reading the history: %w", err)
	}
	rows, err := s.pool.Query(ctx, `
SELECT id, service, state,
	coalesce((SELECT before.state FROM service_health_events before
		WHERE before.environment = e.environment AND before.service = e.service AND before.id < e.id ORDER BY before.id DESC LIMIT 1), ''),
	reason, message, build, at
FROM service_health_events e WHERE environment = $1 AND ($2 = '' OR service = $2) AND ($3 = 0 OR id < $3) ORDER BY id DESC LIMIT $4`,
		environment, service, before, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the history: %w", classify(err))
	}
	events, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Event])
	if err != nil {
		return nil, fmt.Errorf("reading the history: %w", classify(err))
	}
	return events, nil
}

// Prune deletes the events, also of runs, from before a time and returns how many those
// of services were.
func (s *Store) Prune(ctx context.Context, before time.Time) (int, error) {
	if err := s.ready(); err != nil {
		return 0, fmt.Errorf("pruning the history: %w", err)
	}
	tag, err := s.pool.Exec(ctx, "DELETE FROM service_health_events WHERE at < $1", before)
	if err != nil {
		return 0, fmt.Errorf("pruning the history: %w", classify(err))
	}
	if err := s.pruneRunEvents(ctx, before); err != nil {
		return 0, err
	}
	return int(tag.RowsAffected()), nil
}
