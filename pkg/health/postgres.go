package health

import (
	"cmp"
	"context"
	"errors"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"zr/pkg/probe"
)

// askPostgres signs in and runs SELECT 1: a server that still recovers, or
// that knows other credentials, accepts connections too.
func askPostgres(ctx context.Context, s server) (probe.Answer, error) {
	// "allow": in the clear first (the forwarding is inside TLS already), and
	// with TLS where the server insists.
	cfg, err := pgconn.ParseConfig("sslmode=allow")
	if err != nil {
		return probe.Answer{}, err
	}
	cfg.User = cmp.Or(s.secrets["POSTGRES_USER"], "postgres")
	cfg.Password = s.secrets["POSTGRES_PASSWORD"]
	cfg.Database = cmp.Or(s.secrets["POSTGRES_DB"], cfg.User)
	cfg.RuntimeParams = map[string]string{"application_name": "zr-health"}
	cfg.Host, cfg.Port = "localhost", uint16(s.port)
	for _, f := range cfg.Fallbacks {
		f.Host, f.Port = cfg.Host, cfg.Port
	}
	cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	cfg.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) { return s.dial(ctx) }
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return probe.Answer{}, postgresFailure(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "SELECT 1").ReadAll(); err != nil {
		return probe.Answer{}, postgresFailure(err)
	}
	return probe.Answer{Text: "SELECT 1 answered"}, nil
}

// postgresFailure prefers the server's own words ("the database system is
// starting up") to the driver's, which repeat the user and the database.
func postgresFailure(err error) error {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return probe.Unready(said.Severity + ": " + said.Message)
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return connect.Unwrap()
	}
	return err
}
