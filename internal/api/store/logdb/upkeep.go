package logdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"zr/internal/api/logstore"
)

// Upkeep packs what was sealed, and drops what is too old or too much. Who
// collects the logs of an environment calls it now and then.
func (s *Store) Upkeep(ctx context.Context, environment string) error {
	if err := s.packSealed(ctx, environment); err != nil {
		return fmt.Errorf("packing sealed logs: %w", classify(err))
	}
	if err := s.dropOld(ctx, environment); err != nil {
		return fmt.Errorf("dropping old logs: %w", classify(err))
	}
	return nil
}

// dropOld also forgets the containers of which nothing is left.
func (s *Store) dropOld(ctx context.Context, environment string) error {
	oldest := time.Now().Add(-s.limits.Age)
	rows, err := s.pool.Query(ctx, `SELECT number FROM (
			SELECT number, last_at, sealed_at, sum(bytes) OVER (ORDER BY number DESC) AS kept FROM log_partitions WHERE environment = $1) p
		WHERE sealed_at IS NOT NULL AND (last_at < $2 OR kept > $3) ORDER BY number`, environment, oldest, s.limits.Size)
	if err != nil {
		return err
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(numbers) == 0 {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, number := range numbers {
			if _, err := tx.Exec(ctx, "DROP TABLE IF EXISTS "+table(number)); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "DELETE FROM log_partitions WHERE number = ANY($1)", numbers); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM log_cursors WHERE environment = $1 AND updated_at < $2", environment, oldest); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM log_sources o WHERE environment = $1 AND NOT EXISTS (SELECT FROM log_counts c WHERE c.source = o.id)`, environment)
		return err
	})
	clear(s.ids) // some of them may be gone
	if err == nil {
		s.log.Info("dropped old logs", "environment", environment, "partitions", len(numbers))
	}
	return err
}

// Counts implements logstore.Store.
func (s *Store) Counts(ctx context.Context, environment string, scope logstore.Scope, every time.Duration) ([]logstore.Count, error) {
	fail := func(err error) ([]logstore.Count, error) {
		return nil, fmt.Errorf("counting log lines: %w", classify(err))
	}
	sources, err := s.sourcesOf(ctx, environment, scope.Services)
	if err != nil {
		return fail(err)
	}
	var q query
	fmt.Fprintf(&q.sql, `SELECT date_bin(%s::interval, c.minute, 'epoch'), c.level, sum(c.lines)::bigint
		FROM log_counts c JOIN log_partitions p ON p.number = c.partition WHERE p.environment = %s`,
		q.arg(fmt.Sprintf("%d seconds", int64(every.Seconds()))), q.arg(environment))
	counted(&q, scope, sources)
	q.sql.WriteString(" GROUP BY 1, 2 ORDER BY 1, 2")
	rows, err := s.pool.Query(ctx, q.sql.String(), q.args...)
	if err != nil {
		return fail(err)
	}
	var counts []logstore.Count
	var at time.Time
	var level int16
	var lines int64
	if _, err := pgx.ForEachRow(rows, []any{&at, &level, &lines}, func() error {
		counts = append(counts, logstore.Count{At: at.UTC(), Level: levels[level], Skipped: level == levelSkipped, Lines: lines})
		return nil
	}); err != nil {
		return fail(err)
	}
	return counts, nil
}
