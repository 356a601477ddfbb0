package storetest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"zr/internal/testkit"
)

// MariaDB is a MariaDB server that a test can stop and start. It has a database
// and an account, both called User, and asks its root for RootPassword.
type MariaDB struct {
	t    testing.TB
	dir  string
	port int
	proc *process
}

// RootPassword is that of the root of MariaDB: a mock value.
const RootPassword = "mock-root-password"

// NewMariaDB makes a server of the test's own, which does not run yet. It is
// removed with the test.
func NewMariaDB(t testing.TB) *MariaDB {
	t.Helper()
	install := binary(t, "mariadb-install-db")
	m := &MariaDB{t: t, dir: folder(t, "zrtest-mariadb-"), port: testkit.FreePort(t)}
	t.Cleanup(func() {
		m.Stop()
		_ = os.RemoveAll(m.dir)
	})
	out, err := command(m.dir, install, "--no-defaults", "--datadir="+m.data(), "--auth-root-authentication-method=normal",
		"--skip-test-db", "--skip-name-resolve").CombinedOutput()
	if err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, out)
	}
	accounts := fmt.Sprintf("CREATE DATABASE %[1]s;\nCREATE USER %[1]s@'127.0.0.1' IDENTIFIED BY '%[2]s';\nGRANT ALL ON %[1]s.* TO %[1]s@'127.0.0.1';\n"+
		"ALTER USER root@'127.0.0.1' IDENTIFIED BY '%[3]s';\n", User, Password, RootPassword)
	if err := os.WriteFile(m.accounts(), []byte(accounts), 0o644); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *MariaDB) data() string     { return filepath.Join(m.dir, "data") }
func (m *MariaDB) accounts() string { return filepath.Join(m.dir, "accounts.sql") }

// Start starts the server and returns when it answers. It makes the accounts
// before it listens, so it can be started once.
func (m *MariaDB) Start() {
	m.t.Helper()
	m.proc = start(m.t, command(m.dir, binary(m.t, "mariadbd"), "--no-defaults", "--datadir="+m.data(), "--init-file="+m.accounts(),
		"--bind-address=127.0.0.1", "--port="+strconv.Itoa(m.port), "--socket="+filepath.Join(m.dir, "socket"), "--skip-name-resolve",
		"--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0"))
	m.proc.await(m.t, func() error {
		conn, err := net.Dial("tcp", address(m.port))
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.Read(make([]byte, 1)) // it speaks first
		return err
	})
}

// Stop stops the server at once; connections break.
func (m *MariaDB) Stop() {
	if m.proc != nil {
		m.proc.stop(syscall.SIGKILL)
		m.proc = nil
	}
}

// Port is the port of 127.0.0.1 that the server has.
func (m *MariaDB) Port() int { return m.port }
