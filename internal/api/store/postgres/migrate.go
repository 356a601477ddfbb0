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
// alone, since an older build that is put back must run; it is not used where that
// build could not read it.
func (s *Store) migrate(ctx context.Context) error {
	all, err := migrations.All()
	if err != nil {
		return reason.With(reason.Migration, err)
	}
	version, err := s.usableVersion(ctx)
	if err != nil {
		return err
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
	version, _, err := schemaVersion(ctx, conn)
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
			applied_at timestamptz NOT NULL DEFAULT now());
			ALTER TABLE schema_version ADD COLUMN IF NOT EXISTS breaks boolean NOT NULL DEFAULT false`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, m.SQL); err != nil { // without arguments, hence several statements
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO schema_version (version, name, breaks) VALUES ($1, $2, $3)", m.Version, m.Name, m.Breaks)
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

// usableVersion returns the newest applied version, unless this build is too old for it.
func (s *Store) usableVersion(ctx context.Context) (int, error) {
	version, broken, err := schemaVersion(ctx, s.pool)
	if err != nil {
		return 0, fmt.Errorf("reading the schema's version: %w", classify(err))
	}
	if all, err := migrations.All(); err != nil {
		return 0, reason.With(reason.Migration, err)
	} else if broken > len(all) {
		return 0, reason.With(reason.Newer, fmt.Errorf("the schema has version %d, which needs an api that knows version %d; this one knows %d", version, broken, len(all)))
	}
	return version, nil
}

// schemaVersion returns the newest applied version, 0 for a new database, and the newest
// that earlier builds cannot use. Databases of before have no such column.
func schemaVersion(ctx context.Context, q rowQuerier) (version, broken int, err error) {
	err = q.QueryRow(ctx, `SELECT coalesce(max(version), 0), coalesce(max(version) FILTER (WHERE (to_jsonb(v)->>'breaks')::boolean), 0) FROM schema_version v`).Scan(&version, &broken)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == undefinedTable {
		return 0, 0, nil
	}
	return version, broken, err
}
