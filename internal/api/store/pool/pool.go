// Package pool opens the pools of connections to PostgreSQL that the stores
// work with.
package pool

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"zr/internal/api/traces"
)

// Pool is a *pgxpool.Pool. It is an interface for the sake of rebuilds. The struct is
// made of generic types. The compiler compiles their methods again in every package
// that sees it, also as a field of a field. In internal/api that was a fifth of its
// code, at each save.
type Pool interface {
	Acquire(context.Context) (Conn, error)
	Begin(context.Context) (pgx.Tx, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(context.Context, *pgx.Batch) pgx.BatchResults
	Use() Use
	Close()
}

// Use is how much of a pool is used.
type Use struct {
	Most, Used, Idle int
	Waited           int64 // how often all were used, and somebody waited for one
}

// Conn is a *pgxpool.Conn.
type Conn interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Conn() *pgx.Conn
	Hijack() *pgx.Conn
	Release()
}

// Open returns the pool of a URL such as postgres://user:password@host/db, with
// the settings that adjust has changed. It does no I/O, and its error does not
// show the URL.
func Open(url string, adjust func(*pgxpool.Config)) (Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("not a URL of a PostgreSQL database (postgres://user:password@host:port/database)")
	}
	cfg.ConnConfig.Tracer = queries{}
	adjust(cfg)
	p, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		return nil, fmt.Errorf("making the pool of %q: %w", cfg.ConnConfig.RuntimeParams["application_name"], err)
	}
	return pool{p}, nil
}

type pool struct{ *pgxpool.Pool }

func (p pool) Use() Use {
	s := p.Stat()
	return Use{int(s.MaxConns()), int(s.AcquiredConns()), int(s.IdleConns()), s.EmptyAcquireCount()}
}

// Acquire hides the type of the connection, too.
func (p pool) Acquire(ctx context.Context) (Conn, error) {
	conn, err := p.Pool.Acquire(ctx)
	if err != nil {
		return nil, err // a nil *pgxpool.Conn would not be a nil Conn
	}
	return conn, nil
}

// queries makes each query of a request that is traced a call of it.
type queries struct{}

type queryKey struct{}

// longest is how much of a statement a trace has, in bytes.
const longest = 1 << 10

// TraceQueryStart implements pgx.QueryTracer. Arguments are values, and not told.
func (queries) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	called, end := traces.Call(ctx, "postgresql "+traces.Operation(q.SQL), "db.system.name", "postgresql", "db.query.text", q.SQL[:min(len(q.SQL), longest)])
	if called == ctx {
		return ctx
	}
	return context.WithValue(called, queryKey{}, end)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (queries) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryEndData) {
	if end, traced := ctx.Value(queryKey{}).(func(error)); traced {
		end(q.Err)
	}
}
