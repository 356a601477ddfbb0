package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"zr/internal/api/uptime"
)

// What is kept of the uptime, and for how long.
const (
	periodLife = 90 * 24 * time.Hour
	maxPeriods = 2000 // of each service: the newest
	sampleLife = time.Hour
	minuteLife = 7 * 24 * time.Hour
	hourLife   = 365 * 24 * time.Hour
)

// The steps of health_latencies, in seconds.
const (
	minute = 60
	hour   = 3600
)

// LastPeriods implements uptime.Store.
func (s *Store) LastPeriods(ctx context.Context, environment string) ([]uptime.Period, error) {
	return s.periods(ctx, `SELECT DISTINCT ON (service) service, state, reason, message, begun_at, seen_at FROM health_periods
		WHERE environment = $1 ORDER BY service, begun_at DESC`, environment)
}

// Periods returns those of one service or, where it is empty, of all, that reach
// beyond a time, by service and in order.
func (s *Store) Periods(ctx context.Context, environment, service string, from time.Time) ([]uptime.Period, error) {
	return s.periods(ctx, `SELECT service, state, reason, message, begun_at, seen_at FROM health_periods
		WHERE environment = $1 AND ($2 = '' OR service = $2) AND seen_at >= $3 ORDER BY service, begun_at`, environment, service, from)
}

func (s *Store) periods(ctx context.Context, sql string, args ...any) ([]uptime.Period, error) {
	if err := s.ready(); err != nil {
		return nil, fmt.Errorf("reading how services were: %w", err)
	}
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("reading how services were: %w", classify(err))
	}
	periods, err := pgx.CollectRows(rows, pgx.RowToStructByPos[uptime.Period])
	if err != nil {
		return nil, fmt.Errorf("reading how services were: %w", classify(err))
	}
	return periods, nil
}

// StorePeriods implements uptime.Store.
func (s *Store) StorePeriods(ctx context.Context, environment string, periods []uptime.Period) error {
	batch := &pgx.Batch{}
	for _, p := range periods {
		batch.Queue(`INSERT INTO health_periods AS kept (environment, service, begun_at, seen_at, state, reason, message)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (environment, service, begun_at) DO UPDATE SET seen_at = greatest(kept.seen_at, EXCLUDED.seen_at)`,
			environment, p.Service, p.From, p.To, p.State, p.Reason, p.Message)
	}
	return s.send(ctx, "storing how services are", batch)
}

// StoreSamples implements uptime.Store.
func (s *Store) StoreSamples(ctx context.Context, environment string, samples []uptime.Sample) error {
	batch := &pgx.Batch{}
	for _, sample := range samples {
		batch.Queue("INSERT INTO health_samples (environment, service, at, bucket) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			environment, sample.Service, sample.At, sample.Bucket)
	}
	return s.send(ctx, "storing latencies", batch)
}

// send runs a batch, all of it or nothing.
func (s *Store) send(ctx context.Context, doing string, batch *pgx.Batch) error {
	if err := s.ready(); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("%s: %w", doing, classify(err))
	}
	return nil
}

// RollUp implements uptime.Store. Minutes are made anew of all samples since the
// last one that was made, and hours of all minutes: what was cut short is fixed
// by the next.
func (s *Store) RollUp(ctx context.Context, environment string, now time.Time) error {
	batch := &pgx.Batch{}
	batch.Queue(rolled("health_samples", "bucket, count(*)", "", "minute"),
		environment, minute, now.Add(-sampleLife))
	batch.Queue(rolled("health_latencies, unnest(buckets, counts) AS part(bucket, n)", "bucket, sum(n)", "AND step = 60", "hour"),
		environment, hour, now.Add(-minuteLife))
	return s.send(ctx, "adding up latencies", batch)
}

// rolled is the statement that adds up what is in from, by a unit of time. $1 is
// the environment, $2 the step and $3 the earliest time that can be added up whole.
func rolled(from, counted, where, unit string) string {
	return `INSERT INTO health_latencies (environment, step, at, service, buckets, counts)
		SELECT $1, $2, unit, service, array_agg(bucket), array_agg(n) FROM (
			SELECT date_trunc('` + unit + `', at) AS unit, service, ` + counted + `::integer AS n FROM ` + from + `
			WHERE environment = $1 ` + where + ` AND at >= date_trunc('` + unit + `', greatest($3::timestamptz + interval '1 ` + unit + `',
				(SELECT max(at) FROM health_latencies WHERE environment = $1 AND step = $2)))
			GROUP BY unit, service, bucket) AS counted
		GROUP BY unit, service
		ON CONFLICT (environment, step, at, service) DO UPDATE SET buckets = EXCLUDED.buckets, counts = EXCLUDED.counts`
}

// Latencies returns the histograms of one service or, where it is empty, of all,
// from a time on, in order: of each minute, or of each hour.
func (s *Store) Latencies(ctx context.Context, environment, service string, step time.Duration, from time.Time) ([]uptime.Slice, error) {
	if err := s.ready(); err != nil {
		return nil, fmt.Errorf("reading latencies: %w", err)
	}
	rows, err := s.pool.Query(ctx, `SELECT service, at, buckets, counts FROM health_latencies
		WHERE environment = $1 AND step = $2 AND ($3 = '' OR service = $3) AND at >= $4 ORDER BY service, at`,
		environment, int(step.Seconds()), service, from)
	if err != nil {
		return nil, fmt.Errorf("reading latencies: %w", classify(err))
	}
	slices, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (uptime.Slice, error) {
		var one uptime.Slice
		var buckets []int16
		var counts []int64
		err := row.Scan(&one.Service, &one.At, &buckets, &counts)
		one.Histogram = make(uptime.Histogram, len(buckets))
		for i := range min(len(buckets), len(counts)) {
			one.Histogram[buckets[i]] = counts[i]
		}
		return one, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading latencies: %w", classify(err))
	}
	return slices, nil
}

// PruneUptime implements uptime.Store.
func (s *Store) PruneUptime(ctx context.Context, environment string, now time.Time) error {
	batch := &pgx.Batch{}
	batch.Queue("DELETE FROM health_samples WHERE environment = $1 AND at < $2", environment, now.Add(-sampleLife))
	batch.Queue("DELETE FROM health_latencies WHERE environment = $1 AND step = $2 AND at < $3", environment, minute, now.Add(-minuteLife))
	batch.Queue("DELETE FROM health_latencies WHERE environment = $1 AND step = $2 AND at < $3", environment, hour, now.Add(-hourLife))
	batch.Queue("DELETE FROM health_periods WHERE environment = $1 AND seen_at < $2", environment, now.Add(-periodLife))
	batch.Queue(`DELETE FROM health_periods p USING (
			SELECT service, begun_at, row_number() OVER (PARTITION BY service ORDER BY begun_at DESC) AS age
			FROM health_periods WHERE environment = $1) AS old
		WHERE old.age > $2 AND p.environment = $1 AND p.service = old.service AND p.begun_at = old.begun_at`, environment, maxPeriods)
	return s.send(ctx, "pruning how services were", batch)
}
