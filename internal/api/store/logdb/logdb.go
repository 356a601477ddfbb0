// Package logdb keeps log lines in PostgreSQL: new ones in a table, which is packed
// into blocks when it is large, and all of them dropped when they are old.
package logdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"zr/internal/api/reason"
	"zr/internal/api/store/pool"
	"zr/pkg/logline"
)

// The limits of a connection.
const (
	dialTimeout      = time.Second
	statementTimeout = 5 * time.Second
)

// Limits say when a table is sealed and what is kept.
type Limits struct {
	// Lines and Bytes (of text) are how much a table takes before it is sealed.
	// What is not packed yet is read line by line: 100,000 lines take some
	// 50 ms.
	Lines, Bytes int64
	// Span is how long a table is written at most, so that Age is kept where
	// little is written.
	Span time.Duration
	// Age and Size (on disk) bound what is kept of an environment. Whole tables
	// are dropped, and never the one that is written.
	Age  time.Duration
	Size int64
}

// DefaultLimits fit a machine of a developer.
func DefaultLimits() Limits {
	return Limits{Lines: 100_000, Bytes: 32 << 20, Span: 6 * time.Hour, Age: 7 * 24 * time.Hour, Size: 512 << 20}
}

// Store is a pool of connections to one database. It is safe for concurrent
// use. It implements logstore.Store.
type Store struct {
	pool   pool.Pool
	limits Limits
	log    *slog.Logger

	// writing is held while ids of sources may be made or removed.
	writing sync.Mutex
	ids     map[sourceKey]int32

	mu      sync.Mutex
	sources map[int32]sourceKey
}

// sourceKey is who wrote a line.
type sourceKey struct{ environment, service, pod, container string }

// Open returns the Store of a URL such as postgres://user:password@host/db.
// It does no I/O, and its error does not show the URL. The schema is made by
// package postgres; while usable says that it cannot be used, every call fails.
//
// Writing and the upkeep take a connection of the pool each; the others are for searches.
// The right to write is held by a connection beside it.
func Open(url string, connections int, limits Limits, usable func() error, log *slog.Logger) (*Store, error) {
	all, err := pool.Open(url, func(cfg *pgxpool.Config) {
		cfg.MaxConns = int32(connections)
		cfg.MaxConnIdleTime = 5 * time.Minute
		cfg.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) { return true, usable() }
		cfg.ConnConfig.ConnectTimeout = dialTimeout
		// Each table has statements of its own, and each search its own selectivity:
		// plans are made anew, and not kept.
		cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
		// A search that nobody waits for any more ends on the server too.
		cfg.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
			return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, CancelRequestDelay: 0, DeadlineDelay: time.Second}
		}
		for name, value := range map[string]string{
			"application_name":  "zr-api logs",
			"statement_timeout": fmt.Sprint(statementTimeout.Milliseconds()),
			"jit":               "off", // compiling takes longer than what is asked for
			// The table that is written has no statistics. Its lines are wanted in the
			// order of an index, and mostly only the first ones: sorting all that may
			// match, for each part of them that is looked at, takes longer.
			"enable_seqscan": "off",
			"enable_sort":    "off",
		} {
			cfg.ConnConfig.RuntimeParams[name] = value
		}
	})
	if err != nil {
		return nil, err
	}
	return &Store{pool: all, limits: limits, log: log, ids: map[sourceKey]int32{}, sources: map[int32]sourceKey{}}, nil
}

// Use is how much of the pool is used.
func (s *Store) Use() pool.Use { return s.pool.Use() }

// Close closes all connections. Calls in flight end first.
func (s *Store) Close() { s.pool.Close() }

// table is the name of a partition's table.
func table(number int64) string { return fmt.Sprintf("log_lines_%d", number) }

// The levels as they are stored.
const (
	levelNone = iota
	levelDebug
	levelInfo
	levelWarning
	levelError
	levelSkipped // lines that are missing
)

var levels = []string{levelNone: "", levelDebug: logline.Debug, levelInfo: logline.Info, levelWarning: logline.Warning, levelError: logline.Error, levelSkipped: ""}

// levelOf returns the number of a line's level.
func levelOf(l *logline.Line) int16 {
	if l.Skipped > 0 {
		return levelSkipped
	}
	for n, name := range levels[:levelSkipped] {
		if name == l.Level {
			return int16(n)
		}
	}
	return levelNone
}

// atLeast returns the numbers of the levels as severe as one, and that of
// missing lines; nil for all.
func atLeast(level string) []int16 {
	if level == "" || level == logline.Debug {
		return nil
	}
	var wanted []int16
	for n, name := range levels {
		if n == levelSkipped || logline.AtLeast(name, level) {
			wanted = append(wanted, int16(n))
		}
	}
	return wanted
}

// undefined are the codes for a table or a column that does not exist: the
// schema is not there yet, or a partition was dropped a moment ago.
const undefinedTable = "42P01"

func isUndefined(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == undefinedTable
}

// classify attaches the reason that the server's error code stands for.
func classify(err error) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok:
		return err
	case pg.Code == undefinedTable:
		return reason.With(reason.Migrating, err)
	case pg.Code == "57014":
		return reason.With(reason.Timeout, err)
	}
	return err
}
