// Package postgres keeps what must survive in PostgreSQL: the history of
// every service's health.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"zr/internal/api/reason"
	"zr/internal/api/store/pool"
)

// The limits of the pool.
const (
	// dialTimeout is short, since the server is one hop away: a packet that
	// got no answer in a second was dropped.
	dialTimeout = time.Second
	// statementTimeout ends a query that nobody waits for any more.
	statementTimeout = 5 * time.Second
)

// The pauses between attempts to reach a server that is not there yet. The
// longest still lets the api notice it within a tenth of a second; what was
// refused costs neither side anything.
const (
	firstRetry   = 10 * time.Millisecond
	longestRetry = 80 * time.Millisecond
	// migrationRetry follows a failed migration, or a schema of a newer api: it is seldom
	// fixed by itself.
	migrationRetry = 2 * time.Second
)

// patience is how long Check waits for a server that is coming up. Who asks once a
// second, as the kubelet does, then learns of it when it is there, and not up to a
// second later. It ends well before a round of checks has to.
const patience = 700 * time.Millisecond

// Store is a pool of connections to one database. It is safe for concurrent
// use.
type Store struct {
	pool pool.Pool
	log  *slog.Logger

	attempted chan struct{} // closed after the first attempt to get ready
	succeeded chan struct{} // closed after the first that did
	lost      chan struct{} // tells Run that the schema is gone

	version atomic.Int64 // of the schema, when it was asked last

	mu       sync.Mutex
	tried    bool
	wasReady bool
	notReady error // why the schema is not there yet; nil when it is

	leading sync.Mutex
	leads   map[string]*pgx.Conn // by the work that this replica does
}

// Open returns the Store of a URL such as postgres://user:password@host/db.
// It does no I/O, and its error does not show the URL.
// The pool has so many connections at most.
func Open(url string, connections int, log *slog.Logger) (*Store, error) {
	all, err := pool.Open(url, func(cfg *pgxpool.Config) {
		cfg.MaxConns = int32(connections)
		cfg.MinConns = 0 // connect when first used
		cfg.MaxConnIdleTime = 5 * time.Minute
		cfg.MaxConnLifetime = time.Hour
		cfg.MaxConnLifetimeJitter = 5 * time.Minute
		cfg.ConnConfig.ConnectTimeout = dialTimeout
		cfg.ConnConfig.LookupFunc = lookup
		cfg.ConnConfig.RuntimeParams["application_name"] = "zr-api"
		cfg.ConnConfig.RuntimeParams["statement_timeout"] = fmt.Sprint(statementTimeout.Milliseconds())
	})
	if err != nil {
		return nil, err
	}
	return &Store{pool: all, log: log, attempted: make(chan struct{}), succeeded: make(chan struct{}), lost: make(chan struct{}, 1), notReady: &reason.Err{Reason: reason.Starting}, leads: map[string]*pgx.Conn{}}, nil
}

// Use is how much of the pool is used.
func (s *Store) Use() pool.Use { return s.pool.Use() }

// SchemaVersion is the one that Check has seen last.
func (s *Store) SchemaVersion() int64 { return s.version.Load() }

// lookup finds the server's addresses in the time that dialing it may take:
// ConnectTimeout begins after it, and the system's own patience with a name
// server that does not answer is ten seconds.
func lookup(ctx context.Context, host string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return net.DefaultResolver.LookupHost(ctx, host)
}

// Close closes all connections. Calls in flight end first.
func (s *Store) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	s.resign(ctx)
	s.pool.Close()
}

// Run reaches the server and brings the schema up to date, however long the
// server takes to come up, and again when the database was replaced by an
// empty one. It returns with ctx.
func (s *Store) Run(ctx context.Context) {
	for s.prepare(ctx) {
		select {
		case <-s.lost:
			s.log.Warn("postgres has lost its schema, or has that of a newer api")
		case <-ctx.Done():
			return
		}
	}
}

// prepare returns true when the schema is there, and false with ctx.
func (s *Store) prepare(ctx context.Context) bool {
	var last string
	for pause := firstRetry; ; {
		err := s.migrate(ctx)
		if ctx.Err() != nil {
			return false
		}
		s.attempt(err)
		if err == nil {
			s.log.Info("postgres is ready")
			return true
		}
		why := reason.Of(err)
		if why != last { // once per reason, not once per attempt
			s.log.Warn("postgres is not ready", "reason", why, "error", err)
			last = why
		}
		if why == reason.Migration || why == reason.Newer {
			pause = migrationRetry
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false
		}
		pause = min(2*pause, longestRetry)
	}
}

func (s *Store) attempt(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notReady = err
	if !s.tried {
		s.tried = true
		close(s.attempted)
	}
	if err == nil && !s.wasReady {
		s.wasReady = true
		close(s.succeeded)
	}
}

// Check says whether the database can be used. Before the schema is there it
// answers from the last attempt of Run, so that only Run dials. Afterwards it
// asks for the schema's version, which is one round trip like a ping and also
// notices a database that was replaced by an empty one.
func (s *Store) Check(ctx context.Context) error {
	select {
	case <-s.attempted:
	case <-ctx.Done():
		return s.ready()
	}
	if s.comingUp() {
		select {
		case <-s.succeeded:
		case <-time.After(patience):
		case <-ctx.Done():
		}
	}
	if err := s.ready(); err != nil {
		return err
	}
	version, err := s.usableVersion(ctx)
	if reason.Of(err) == reason.Newer {
		return s.lose(err)
	}
	if err != nil {
		return err
	}
	s.version.Store(int64(version))
	if version == 0 {
		return s.lose(&reason.Err{Reason: reason.Migrating})
	}
	return nil
}

// lose has Run get the schema ready again, and says why it is not.
func (s *Store) lose(why error) error {
	s.attempt(why)
	select {
	case s.lost <- struct{}{}:
	default:
	}
	return s.ready()
}

// Usable says why the database cannot be used, as far as is known. It asks nobody.
func (s *Store) Usable() error { return s.ready() }

// comingUp says whether the server was not there yet and may be at any moment.
// What it refuses, it will refuse again.
func (s *Store) comingUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wasReady || s.notReady == nil {
		return false
	}
	switch reason.Of(s.notReady) {
	case reason.Refused, reason.Reset, reason.Timeout, reason.Unreachable, reason.NotFound, reason.Starting:
		return true
	}
	return false
}

func (s *Store) ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notReady
}

// classify attaches the reason that the server's error code stands for.
func classify(err error) error {
	if err == nil {
		return nil
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	switch pg.Code {
	case "28P01", "28000":
		return reason.With(reason.Auth, err)
	case "42501":
		return reason.With(reason.Forbidden, err)
	case "57P03", "57P01", "57P02": // starting, or being stopped
		return reason.With(reason.Starting, err)
	case "53300":
		return reason.With(reason.Busy, err)
	case "3D000":
		return reason.With(reason.NoDatabase, err)
	case "57014": // statement_timeout
		return reason.With(reason.Timeout, err)
	}
	return err
}
