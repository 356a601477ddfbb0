package health

import (
	"context"
	"errors"
	"net"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"zr/pkg/diagnose"
)

// askPostgres signs in and runs SELECT 1: a server that still recovers, or
// that knows other credentials, accepts connections too.
func askPostgres(ctx context.Context, t Target, via *tunnel, secrets map[string]string) diagnose.Answer {
	// "allow": in the clear first (the forwarding is inside TLS already), and
	// with TLS where the server insists.
	cfg, err := pgconn.ParseConfig("sslmode=allow")
	if err != nil {
		return diagnose.Answer{Text: err.Error()}
	}
	cfg.User = orDefault(secrets["POSTGRES_USER"], "postgres")
	cfg.Password = secrets["POSTGRES_PASSWORD"]
	cfg.Database = orDefault(secrets["POSTGRES_DB"], cfg.User)
	cfg.RuntimeParams = map[string]string{"application_name": "zr-health"}
	cfg.Host, cfg.Port = "localhost", uint16(t.Port)
	for _, f := range cfg.Fallbacks {
		f.Host, f.Port = cfg.Host, cfg.Port
	}
	cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	cfg.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) { return via.open(ctx, t.Port) }
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return diagnose.Answer{Text: postgresFailure(ctx, t.Port, err)}
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "SELECT 1").ReadAll(); err != nil {
		return diagnose.Answer{Text: postgresFailure(ctx, t.Port, err)}
	}
	return diagnose.Answer{OK: true, Text: "SELECT 1 answered"}
}

// postgresFailure prefers the server's own words ("the database system is
// starting up") to the driver's, which repeat the user and the database.
func postgresFailure(ctx context.Context, port int32, err error) string {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said.Severity + ": " + said.Message
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		err = connect.Unwrap()
	}
	return failureText(ctx, port, err)
}

// The driver's own log would land among what is printed; what it says is in the
// answer too.
func init() { logging.Disable() }

// askRedis signs in and sends PING. A server that still loads its data
// answers LOADING, which is no PONG.
func askRedis(ctx context.Context, t Target, via *tunnel, secrets map[string]string) diagnose.Answer {
	client := redis.NewClient(&redis.Options{
		Addr:     net.JoinHostPort("localhost", strconv.Itoa(int(t.Port))),
		Username: secrets["REDIS_USERNAME"],
		Password: secrets["REDIS_PASSWORD"],
		Dialer:   func(ctx context.Context, _, _ string) (net.Conn, error) { return via.open(ctx, t.Port) },
		// The gate asks again by itself.
		MaxRetries:    -1,
		DialerRetries: 1,
		PoolSize:      1,
		// One PING needs no name, no push messages and no third protocol version.
		Protocol:        2,
		DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
		ContextTimeoutEnabled: true,
	})
	defer client.Close()
	pong, err := client.Ping(ctx).Result()
	if err != nil {
		var said redis.Error
		if errors.As(err, &said) {
			return diagnose.Answer{Text: said.Error()}
		}
		return diagnose.Answer{Text: failureText(ctx, t.Port, err)}
	}
	return diagnose.Answer{OK: pong == "PONG", Text: pong}
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
