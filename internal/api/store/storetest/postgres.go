package storetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"zr/internal/testkit"
)

// The credentials of the servers: mock values.
const (
	User     = "zr"
	Password = "mock-password"
)

// Postgres is a PostgreSQL server that a test can stop and start.
type Postgres struct {
	t    testing.TB
	dir  string
	port int
	proc *process
}

// NewPostgres makes a server of the test's own, which does not run yet. It is
// removed with the test.
func NewPostgres(t testing.TB) *Postgres {
	t.Helper()
	p := makePostgres(t)
	t.Cleanup(p.remove)
	return p
}

func makePostgres(t testing.TB) *Postgres {
	t.Helper()
	initdb := binary(t, "initdb")
	p := &Postgres{t: t, dir: folder(t, "zrtest-postgres-"), port: testkit.FreePort(t)}
	passwords := filepath.Join(p.dir, "password")
	if err := os.WriteFile(passwords, []byte(Password+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := command(p.dir, initdb, "--pgdata", p.data(), "--username", User, "--pwfile", passwords,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync").CombinedOutput()
	if err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	return p
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// Start starts the server and returns when it answers.
func (p *Postgres) Start() {
	p.t.Helper()
	p.proc = start(p.t, command(p.dir, binary(p.t, "postgres"), "-D", p.data(),
		"-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-k", p.dir,
		"-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=50"))
	p.proc.await(p.t, func() error {
		conn, err := pgx.Connect(context.Background(), p.URL("postgres"))
		if err != nil {
			return err
		}
		return conn.Close(context.Background())
	})
}

// Stop stops the server at once; connections break.
func (p *Postgres) Stop() {
	if p.proc != nil {
		p.proc.stop(syscall.SIGQUIT) // "immediate shutdown"
		p.proc = nil
	}
}

func (p *Postgres) remove() {
	p.Stop()
	_ = os.RemoveAll(p.dir)
}

// URL returns the URL of a database of the server.
func (p *Postgres) URL(database string) string {
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", User, Password, address(p.port), database)
}

// shared is the server of a package's tests, each with a database of its own:
// initdb takes longer than most tests.
var shared struct {
	once      sync.Once
	server    *Postgres
	databases atomic.Int64
}

// Main runs the tests of a package that uses Database, and removes the server
// afterwards. TestMain calls it.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		shared.server.remove()
	}
	return code
}

// Database returns the URL of a new, empty database on a server that the
// tests of this package share.
func Database(t testing.TB) string {
	t.Helper()
	binary(t, "initdb") // skip here, not within once
	shared.once.Do(func() {
		shared.server = makePostgres(t)
		shared.server.Start()
	})
	if shared.server == nil || shared.server.proc == nil {
		t.Fatal("the shared PostgreSQL server did not start")
	}
	name := fmt.Sprintf("test_%d", shared.databases.Add(1))
	url := shared.server.URL(name)
	Exec(t, shared.server.URL("postgres"), "CREATE DATABASE "+name)
	return url
}

// Exec runs SQL statements without results.
func Exec(t testing.TB, url, sql string) {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatal(err)
	}
}
