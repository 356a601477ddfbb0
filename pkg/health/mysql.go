package health

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"net"

	"github.com/go-sql-driver/mysql"

	"zr/pkg/probe"
)

// accessDenied is ER_ACCESS_DENIED_ERROR of MySQL and MariaDB.
const accessDenied = 1045

// askMySQL signs in and runs SELECT 1. Where the secrets have no account, a server
// that asks for a password counts as ready: it does so when it has its accounts.
func askMySQL(ctx context.Context, s server) (probe.Answer, error) {
	// The images of MySQL read MYSQL_, those of MariaDB both.
	secret := func(name string) string { return cmp.Or(s.secrets["MYSQL_"+name], s.secrets["MARIADB_"+name]) }
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName = secret("USER"), secret("PASSWORD"), secret("DATABASE")
	if cfg.User == "" {
		cfg.User, cfg.Passwd = "root", secret("ROOT_PASSWORD")
	}
	known := cfg.User != "root" || cfg.Passwd != ""
	cfg.TLSConfig = "preferred" // some accounts need TLS; no certificate is verified
	cfg.Logger = &mysql.NopLogger{}
	cfg.ConnectionAttributes = "program_name:zr-health"
	// The driver keeps the cause of a broken connection to itself.
	var broken error
	cfg.Net, cfg.Addr = "tcp", "localhost"
	cfg.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := s.dial(ctx)
		return &witness{Conn: conn, seen: &broken}, err
	}
	err := selectOne(ctx, cfg)
	var said *mysql.MySQLError
	switch {
	case err == nil:
		return probe.Answer{Text: "SELECT 1 answered"}, nil
	case errors.As(err, &said) && said.Number == accessDenied && !known:
		return probe.Answer{Text: "asks for a password"}, nil
	case errors.As(err, &said):
		return probe.Answer{}, probe.Unready(said.Message)
	}
	return probe.Answer{}, cmp.Or(broken, err)
}

func selectOne(ctx context.Context, cfg *mysql.Config) error {
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, "SELECT 1", nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	return rows.Next(make([]driver.Value, 1))
}

// witness keeps the first error of a connection.
type witness struct {
	net.Conn
	seen *error
}

func (w *witness) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	*w.seen = cmp.Or(*w.seen, err)
	return n, err
}
