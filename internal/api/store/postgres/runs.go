package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"zr/internal/api/dev"
)

// maxRunEvents is how many events of an environment are kept: some months of work.
const maxRunEvents = 100_000

// runLocks is the first half of the advisory locks under which events are stored:
// "zrev" in ASCII. Their ids are then in the order in which they can be read.
const runLocks = 0x7a726576

// AddRunEvents implements dev.Store.
func (s *Store) AddRunEvents(ctx context.Context, environment string, events []dev.NewEvent) error {
	if err := s.ready(); err != nil {
		return fmt.Errorf("storing events of a run: %w", err)
	}
	batch := &pgx.Batch{}
	batch.Queue("SELECT pg_advisory_xact_lock($1, hashtext($2))", runLocks, environment)
	for _, e := range events {
		batch.Queue(`INSERT INTO run_events (environment, run, seq, verb, actor, machine, folder, at, type, service, data)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (environment, run, seq) DO NOTHING`,
			environment, e.Run, e.Seq, e.Verb, e.User, e.Machine, e.Folder, e.At, e.Type, e.Service, e.Data)
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return tx.SendBatch(ctx, batch).Close() })
	if err != nil {
		return fmt.Errorf("storing events of a run: %w", classify(err))
	}
	return nil
}

const runColumns = "SELECT id, run, verb, actor, machine, folder, at, type, service, data FROM run_events "

// RunEvents implements dev.Store.
func (s *Store) RunEvents(ctx context.Context, f dev.EventFilter, before int64, limit int) ([]dev.RunEvent, error) {
	return s.runEvents(ctx, runColumns+`WHERE environment = $1 AND ($2 = '' OR run = $2) AND ($3 = '' OR service = $3) AND (cardinality($4::text[]) = 0 OR type = ANY($4))
		AND (NOT $5 OR coalesce(data->>'error', '') <> '') AND ($6 = 0 OR id < $6) ORDER BY id DESC LIMIT $7`,
		f.Environment, f.Run, f.Service, append([]string{}, f.Types...), f.Failed, before, limit)
}

// RunEventsAfter implements dev.Store.
func (s *Store) RunEventsAfter(ctx context.Context, environment string, after int64, limit int) ([]dev.RunEvent, error) {
	return s.runEvents(ctx, runColumns+"WHERE environment = $1 AND id > $2 ORDER BY id LIMIT $3", environment, after, limit)
}

func (s *Store) runEvents(ctx context.Context, sql string, args ...any) ([]dev.RunEvent, error) {
	if err := s.ready(); err != nil {
		return nil, fmt.Errorf("reading the events of runs: %w", err)
	}
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("reading the events of runs: %w", classify(err))
	}
	events, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e dev.RunEvent, err error) {
		err = row.Scan(&e.ID, &e.Run, &e.Verb, &e.User, &e.Machine, &e.Folder, &e.At, &e.Type, &e.Service, &e.Data)
		e.At = e.At.UTC()
		e.Locate()
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the events of runs: %w", classify(err))
	}
	return events, nil
}

// reloads are the changes of the inner loop. A trace without paths is of no save.
const reloads = `
SELECT id, service, at, coalesce(data->>'error', '') = '' AS ok, coalesce((data->>'rolledBack')::boolean, false) AS rolled_back,
	CASE WHEN coalesce((data->>'onlySent')::boolean, false) THEN NULL
		ELSE ((data->>'noticed')::numeric + (data->>'built')::numeric + (data->>'sent')::numeric + (data->>'swapped')::numeric + (data->>'healthy')::numeric) / 1e6 END AS lead
FROM run_events WHERE environment = $1 AND type = 'reload' AND at >= $2 AND at < $3 AND jsonb_array_length(data->'paths') > 0`

// deploys are the changes of the environment: each end of bringing it up, but for a
// good one of a run that had nothing to apply.
const deploys = `
SELECT e.id, '' AS service, e.at, e.type = 'ready' AS ok, false AS rolled_back, (e.data->>'took')::numeric / 1e6 AS lead
FROM run_events e WHERE e.environment = $1 AND e.at >= $2 AND e.at < $3 AND (
	e.type = 'error' OR e.type = 'problem' AND e.service = 'zr up' AND NOT coalesce((e.data->>'cleared')::boolean, false)
	OR e.type = 'ready' AND EXISTS (SELECT FROM run_events a WHERE a.environment = e.environment AND a.run = e.run AND a.id < e.id
		AND a.type = 'step.done' AND a.data->>'step' = 'apply' AND NOT coalesce((a.data->>'unchanged')::boolean, false)))`

// failures finds those among changes, and when each was restored. A failure that follows
// another of the same service is part of that one.
const failures = `
WITH changes AS (%s),
streaks AS (SELECT *, lag(ok, 1, true) OVER (PARTITION BY service ORDER BY id) AS was_ok FROM changes),
failures AS (SELECT at, (SELECT min(n.at) FROM changes n WHERE n.service = f.service AND n.ok AND n.id > f.id) AS restored FROM streaks f WHERE NOT ok AND was_ok),
restores AS (SELECT restored, extract(epoch FROM restored - at) * 1000 AS took FROM failures WHERE restored IS NOT NULL)`

// flow sums changes up.
const flow = failures + `
SELECT (SELECT count(*) FROM changes), (SELECT count(*) FROM changes WHERE NOT ok), (SELECT count(*) FROM changes WHERE rolled_back),
	(SELECT count(lead) FROM changes WHERE ok), (SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY lead::float8) FROM changes WHERE ok),
	(SELECT count(*) FROM restores), (SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY took::float8) FROM restores),
	(SELECT count(*) FROM failures WHERE restored IS NULL)`

// curve is the same over time. What restores it is a change itself.
const curve = failures + `,
restored AS (SELECT date_bin(make_interval(secs => $4), restored, $2) AS slice, percentile_cont(0.5) WITHIN GROUP (ORDER BY took::float8) AS took FROM restores GROUP BY slice),
sums AS (SELECT date_bin(make_interval(secs => $4), at, $2) AS slice, count(*) AS total, count(*) FILTER (WHERE NOT ok) AS failed,
	percentile_cont(0.5) WITHIN GROUP (ORDER BY lead::float8) FILTER (WHERE ok) AS lead FROM changes GROUP BY slice)
SELECT slice, total, failed, lead, took FROM sums LEFT JOIN restored USING (slice) ORDER BY slice`

// Delivery implements dev.Store.
func (s *Store) Delivery(ctx context.Context, environment string, from, to time.Time, step time.Duration) (dev.Delivery, error) {
	d := dev.Delivery{From: from, To: to, Step: int(step.Seconds())}
	err := s.ready()
	if err == nil {
		d.Reloads, err = s.flow(ctx, reloads, environment, from, to, step)
	}
	if err == nil {
		d.Deploys, err = s.flow(ctx, deploys, environment, from, to, step)
	}
	if err != nil {
		return d, fmt.Errorf("reading the metrics of runs: %w", classify(err))
	}
	return d, nil
}

func (s *Store) flow(ctx context.Context, changes, environment string, from, to time.Time, step time.Duration) (f dev.Flow, err error) {
	var lead, restore []float64 // nil where there was none
	var leads, restores int
	err = s.pool.QueryRow(ctx, fmt.Sprintf(flow, changes), environment, from, to).
		Scan(&f.Changes, &f.Failed, &f.RolledBack, &leads, &lead, &restores, &restore, &f.Broken)
	if err != nil {
		return f, err
	}
	f.PerHour = float64(f.Changes) / to.Sub(from).Hours()
	if f.Changes > 0 {
		rate := float64(f.Failed) / float64(f.Changes)
		f.FailureRate = &rate
	}
	f.Lead, f.Restore = spread(leads, lead), spread(restores, restore)
	rows, err := s.pool.Query(ctx, fmt.Sprintf(curve, changes), environment, from, to, step.Seconds())
	if err != nil {
		return f, err
	}
	f.Curve, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c dev.Moment, err error) {
		err = row.Scan(&c.At, &c.Changes, &c.Failed, &c.Median, &c.Restore)
		c.At = c.At.UTC()
		return c, err
	})
	return f, err
}

func spread(count int, percentiles []float64) *dev.Spread {
	if count == 0 {
		return nil
	}
	return &dev.Spread{Count: count, Median: percentiles[0], P95: percentiles[1]}
}

// pruneRunEvents deletes events from before a time, and the oldest where there are too
// many.
func (s *Store) pruneRunEvents(ctx context.Context, before time.Time) error {
	batch := &pgx.Batch{}
	batch.Queue("DELETE FROM run_events WHERE at < $1", before)
	batch.Queue(`DELETE FROM run_events e USING (SELECT environment, id FROM (
			SELECT environment, id, row_number() OVER (PARTITION BY environment ORDER BY id DESC) AS age FROM run_events) AS numbered WHERE age = $1) AS oldest
		WHERE e.environment = oldest.environment AND e.id < oldest.id`, maxRunEvents)
	return s.send(ctx, "pruning the events of runs", batch)
}
