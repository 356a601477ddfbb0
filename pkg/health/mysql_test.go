package health

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"zr/internal/api/store/storetest"
	"zr/pkg/diagnose"
	"zr/pkg/probe"
)

// TestProbeMySQL asks a real server.
func TestProbeMySQL(t *testing.T) {
	server := storetest.NewMariaDB(t)
	server.Start()
	via := forward(t)
	at := int32(server.Port())
	for _, tc := range []struct {
		what, user, password, database, root string
		port                                 int32
		text                                 string
		ok                                   bool
	}{
		{what: "its account", user: storetest.User, password: storetest.Password, database: storetest.User, port: at, text: "SELECT 1 answered", ok: true},
		{what: "root", root: storetest.RootPassword, port: at, text: "SELECT 1 answered", ok: true},
		{what: "nobody", port: at, text: "asks for a password", ok: true},
		{what: "another password", user: storetest.User, password: "secret", port: at, text: "Access denied for user 'zr'@'127.0.0.1' (using password: YES)"},
		{what: "no password", user: storetest.User, port: at, text: "Access denied for user 'zr'@'127.0.0.1' (using password: NO)"},
		{what: "another password of root", root: "secret", port: at, text: "Access denied for user 'root'@'127.0.0.1' (using password: YES)"},
		{what: "no such database", root: storetest.RootPassword, database: "shop", port: at, text: "Unknown database 'shop'"},
		{what: "no server", port: closedPort(t), text: "connection refused"},
		{what: "a server that hangs up", port: listen(t, func(net.Conn) {}), text: "closed the connection without an answer"},
	} {
		for _, prefix := range []string{"MYSQL_", "MARIADB_"} {
			secrets := map[string]string{prefix + "USER": tc.user, prefix + "PASSWORD": tc.password, prefix + "DATABASE": tc.database, prefix + "ROOT_PASSWORD": tc.root}
			target := Target{Target: diagnose.Target{Probe: probe.MySQL}, Port: tc.port, Credentials: func() (map[string]string, error) { return secrets, nil }}
			got := ask(t.Context(), target, via, "")
			if got.OK != tc.ok || !strings.HasSuffix(got.Text, tc.text) {
				t.Errorf("%s: got %+v, want %q", tc.what, got, tc.text)
			}
		}
	}
	for what, serve := range map[string]func(net.Conn){
		"a server that says nothing": func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"a server of something else": func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-x\r\n"); _, _ = io.Copy(io.Discard, c) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		got := ask(ctx, Target{Target: diagnose.Target{Probe: probe.MySQL}, Port: listen(t, serve)}, via, "")
		cancel()
		if got.OK || !strings.HasSuffix(got.Text, "no answer in time") {
			t.Errorf("%s: got %+v", what, got)
		}
	}
	server.Stop()
	if got := ask(t.Context(), Target{Target: diagnose.Target{Probe: probe.MySQL}, Port: at}, via, ""); got.OK {
		t.Errorf("a server that is gone: got %+v", got)
	}
}
