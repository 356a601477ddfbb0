package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"zr/internal/api/migrations"
	"zr/internal/api/reason"
)

// migrationLock is the advisory lock that only one replica holds while it
// migrates: "zr-api" in ASCII.
const migrationLock = 0x7a722d617069

// unlockTimeout bounds the release of the lock after ctx has ended.
const unlockTimeout = time.Second

// undefinedTable is the code of the error for a table that does not exist.
const undefinedTable = "42P01"

// migrate brings the schema up to date. A schema that already is costs one
// query and no lock: this is on the way of every start. A newer one is left
// alone, since an older build that is put back must run.
func (s *Store) migrate(ctx context.Context) error {
	all, err := migrations.All()
	if err != nil {
		return reason.With(reason.Migration, err)
	}
	version, err := schemaVersion(ctx, s.pool)
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", classify(err))
	}
	if version >= len(all) {
		return nil
	}
	return s.migrateLocked(ctx, all)
}

func (s *Store) migrateLocked(ctx context.Context, all []migrations.Migration) (err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("migrating: %w", classify(err))
	}
	defer conn.Release()
	// Other replicas wait in the lock for as long as the first one migrates.
	if _, err := conn.Exec(ctx, "SET statement_timeout = 0"); err != nil {
		return fmt.Errorf("migrating: %w", classify(err))
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return fmt.Errorf("waiting to migrate: %w", classify(err))
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTimeout)
		defer cancel()
		_, unlock := conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", int64(migrationLock))
		_, reset := conn.Exec(ctx, "RESET statement_timeout")
		if errors.Join(unlock, reset) != nil {
			_ = conn.Conn().Close(ctx) // the server frees what the connection held
		}
	}()
	version, err := schemaVersion(ctx, conn)
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", classify(err))
	}
	for _, m := range all[min(version, len(all)):] {
		begin := time.Now()
		if err := apply(ctx, conn.Conn(), m); err != nil {
			return err
		}
		s.log.Info("migrated", "version", m.Version, "name", m.Name, "ms", time.Since(begin).Milliseconds())
	}
	return nil
}

// apply runs one migration and records it, both or neither.
func apply(ctx context.Context, conn *pgx.Conn, m migrations.Migration) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_version (
			version    integer PRIMARY KEY,
			name       text NOT NULL,
			applied_at timestamptz NOT NULL DEFAULT now())`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, m.SQL); err != nil { // without arguments, hence several statements
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO schema_version (version, name) VALUES ($1, $2)", m.Version, m.Name)
		return err
	})
	if err == nil {
		return nil
	}
	err = fmt.Errorf("applying migration %d %q: %w", m.Version, m.Name, err)
	if _, said := errors.AsType[*pgconn.PgError](err); said {
		return reason.With(reason.Migration, err)
	}
	return err // the connection was lost: not the migration's fault
}

type rowQuerier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// schemaVersion returns the newest applied version, 0 for a new database.
func schemaVersion(ctx context.Context, q rowQuerier) (int, error) {
	var version int
	err := q.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM schema_version").Scan(&version)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == undefinedTable {
		return 0, nil
	}
	return version, err
}
