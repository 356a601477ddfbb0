package health

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"zr/pkg/diagnose"
	"zr/pkg/probe"
)

func TestProbeHTTP(t *testing.T) {
	via := forward(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/health":
			fmt.Fprintf(w, `{"status":"ok","build":"0123456789abcdef","host":%q}`, r.Host)
		case "/sick":
			http.Error(w, "  database:\n\tgone\x1b[31m "+strings.Repeat("x", 500), http.StatusServiceUnavailable)
		case "/moved":
			http.Redirect(w, r, "/health", http.StatusFound)
		case "/moved/sick":
			http.Redirect(w, r, "/sick", http.StatusFound)
		case "/elsewhere":
			http.Redirect(w, r, "http://example.test/health", http.StatusFound)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case "/unchanged":
			w.WriteHeader(http.StatusNotModified)
		case "/slow":
			<-r.Context().Done()
		case "/rude":
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.Close()
			}
		}
	}))
	defer server.Close()
	port := int32(server.Listener.Addr().(*net.TCPAddr).Port)
	for _, tc := range []struct {
		path, text, build string
		port              int32
		ok                bool
	}{
		{"/health", "200 OK", "0123456789abcdef", port, true},
		{"health", "200 OK", "0123456789abcdef", port, true},
		{"/sick", "503 Service Unavailable: database: gone[31m " + strings.Repeat("x", 141) + "…", "", port, false},
		{"/moved", "200 OK", "0123456789abcdef", port, true},
		{"/moved/sick", "503 Service Unavailable: database: gone[31m " + strings.Repeat("x", 141) + "…", "", port, false},
		{"/elsewhere", "302 Found", "", port, true},
		{"/circle", "it redirects more than 10 times", "", port, false},
		{"/unchanged", "304 Not Modified", "", port, true},
		{"/slow", fmt.Sprintf("port %d: no answer in time", port), "", port, false},
		{"/rude", fmt.Sprintf("port %d: closed the connection without an answer", port), "", port, false},
		{"/health", "connection refused", "", closedPort(t), false},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		got := ask(ctx, Target{Target: diagnose.Target{Probe: probe.HTTP}, Port: tc.port, Path: tc.path}, via, "10.0.0.1")
		cancel()
		if got.OK != tc.ok || got.Build != tc.build || !strings.HasSuffix(got.Text, tc.text) {
			t.Errorf("%s: got %+v, want %q", tc.path, got, tc.text)
		}
	}
}

func TestProbeHeaders(t *testing.T) {
	via := forward(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "shop.test" || r.Header.Get("X-Probe") != "yes" || !strings.HasPrefix(r.UserAgent(), "kube-probe/") {
			http.Error(w, r.Host+" "+r.Header.Get("X-Probe")+" "+r.UserAgent(), http.StatusForbidden)
		}
	}))
	defer server.Close()
	target := Target{
		Target: diagnose.Target{Probe: probe.HTTP},
		Port:   int32(server.Listener.Addr().(*net.TCPAddr).Port), Headers: http.Header{"Host": {"shop.test"}, "X-Probe": {"yes"}},
	}
	if got := ask(t.Context(), target, via, "10.0.0.1"); !got.OK {
		t.Errorf("got %+v", got)
	}
}

func TestProbeHTTPS(t *testing.T) {
	via := forward(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"build":"0123456789abcdef"}`) }))
	defer server.Close()
	target := Target{Target: diagnose.Target{Probe: probe.HTTP}, Port: int32(server.Listener.Addr().(*net.TCPAddr).Port), TLS: true}
	if got := ask(t.Context(), target, via, "10.0.0.1"); !got.OK || got.Build != "0123456789abcdef" {
		t.Errorf("got %+v", got)
	}
}

func TestProbeTCP(t *testing.T) {
	via := forward(t)
	silent := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	greeting := listen(t, func(c net.Conn) { fmt.Fprintln(c, "220 hello"); _, _ = io.Copy(io.Discard, c) })
	rude := listen(t, func(net.Conn) {})
	for _, tc := range []struct {
		port int32
		ok   bool
		text string
	}{
		{silent, true, "accepts connections"},
		{greeting, true, "accepts connections"},
		{rude, true, "accepts connections"},
		{closedPort(t), false, "connection refused"},
	} {
		got := ask(t.Context(), Target{Target: diagnose.Target{Probe: probe.TCP}, Port: tc.port}, via, "")
		if got.OK != tc.ok || !strings.HasSuffix(got.Text, tc.text) {
			t.Errorf("got %+v, want %q", got, tc.text)
		}
	}
}

// postgresServer answers as a server does: with an error, or by signing in with a
// clear password and answering queries.
func postgresServer(failure *pgproto3.ErrorResponse, password string) func(net.Conn) {
	return func(c net.Conn) {
		b := pgproto3.NewBackend(c, c)
		if _, err := b.ReceiveStartupMessage(); err != nil {
			return
		}
		if failure == nil {
			b.Send(&pgproto3.AuthenticationCleartextPassword{})
			if b.Flush() != nil || b.SetAuthType(pgproto3.AuthTypeCleartextPassword) != nil {
				return
			}
			m, err := b.Receive()
			if err != nil {
				return
			}
			if got, ok := m.(*pgproto3.PasswordMessage); !ok || got.Password != password {
				failure = &pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: `password authentication failed for user "zr"`}
			}
		}
		if failure != nil {
			b.Send(failure)
			_ = b.Flush()
			return
		}
		b.Send(&pgproto3.AuthenticationOk{})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		for b.Flush() == nil {
			if m, err := b.Receive(); err != nil {
				return
			} else if _, ok := m.(*pgproto3.Query); ok {
				b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
				b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
			}
		}
	}
}

// redisServer answers PING as a server in some state does. It is older than
// the HELLO command.
func redisServer(pong string) func(net.Conn) {
	return func(c net.Conn) {
		for r := bufio.NewReader(c); ; {
			var words, size int
			if _, err := fmt.Fscanf(r, "*%d\r\n", &words); err != nil {
				return
			}
			command := make([]string, words)
			for i := range command {
				if _, err := fmt.Fscanf(r, "$%d\r\n%s\r\n", &size, &command[i]); err != nil {
					return
				}
			}
			switch strings.ToUpper(command[0]) {
			case "PING":
				fmt.Fprintf(c, "%s\r\n", pong)
			case "AUTH":
				fmt.Fprint(c, "+OK\r\n")
			default:
				fmt.Fprintf(c, "-ERR unknown command '%s'\r\n", command[0])
			}
		}
	}
}

func TestProbeStores(t *testing.T) {
	t.Setenv("PGHOST", "elsewhere.invalid") // the developer's own settings must not matter
	t.Setenv("PGUSER", "somebody")
	via := forward(t)
	credentials := map[string]string{"POSTGRES_USER": "zr", "POSTGRES_PASSWORD": "secret", "REDIS_PASSWORD": "secret"}
	for _, tc := range []struct {
		probe string
		port  int32
		ok    bool
		text  string
	}{
		{probe.Postgres, listen(t, postgresServer(nil, "secret")), true, "SELECT 1 answered"},
		{probe.Postgres, listen(t, postgresServer(nil, "other")), false, `FATAL: password authentication failed for user "zr"`},
		{probe.Postgres, listen(t, postgresServer(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "57P03", Message: "the database system is starting up"}, "")), false,
			"FATAL: the database system is starting up"},
		{probe.Postgres, closedPort(t), false, "connection refused"},
		{probe.Redis, listen(t, redisServer("+PONG")), true, "PONG"},
		{probe.Redis, listen(t, redisServer("-LOADING Redis is loading the dataset in memory")), false, "LOADING Redis is loading the dataset in memory"},
		{probe.Redis, closedPort(t), false, "connection refused"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), probeTimeout)
		got := ask(ctx, Target{Target: diagnose.Target{Probe: tc.probe}, Port: tc.port, Credentials: func() (map[string]string, error) { return credentials, nil }}, via, "")
		cancel()
		if got.OK != tc.ok || !strings.HasSuffix(got.Text, tc.text) || strings.Contains(got.Text, "secret") {
			t.Errorf("%s: got %+v, want %q", tc.probe, got, tc.text)
		}
	}
	got := ask(t.Context(), Target{Target: diagnose.Target{Probe: probe.Redis}, Credentials: func() (map[string]string, error) { return nil, errors.New("no such file") }}, via, "")
	if got.OK || !strings.Contains(got.Text, "reading the credentials: no such file") {
		t.Errorf("got %+v", got)
	}
}

// TestAnAnswerMayTakeAsLongAsTheManifestSays, and no less than zr's own time.
func TestAnAnswerMayTakeAsLongAsTheManifestSays(t *testing.T) {
	for manifest, want := range map[time.Duration]time.Duration{0: probeTimeout, time.Second: probeTimeout, time.Minute: time.Minute} {
		if got := (Target{ProbeTimeout: manifest}).patience(); got != want {
			t.Errorf("%v for a manifest's %v", got, manifest)
		}
	}
}

// TestEveryKindIsAsked holds that the gate has a way to ask whatever a config may name.
func TestEveryKindIsAsked(t *testing.T) {
	for _, name := range probe.InConfig() {
		_, err := probe.New(probe.Probe{Kind: name, Port: 1}, probe.Options{})
		if name != probe.Rollout && stores[name] == nil && err != nil {
			t.Errorf("nothing asks a probe of kind %s: %v", name, err)
		}
	}
	for name := range stores {
		if k := probe.Of(name); !k.InConfig || !k.Port {
			t.Errorf("%s is asked and cannot be named", name)
		}
	}
}

// TestForwardStuck blocks the connection of a port-forward as a server does that
// stops to read, and asks again.
func TestForwardStuck(t *testing.T) {
	via := forward(t)
	port := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	rude := listen(t, func(net.Conn) {})
	// The streams of a connection share five workers on the other side, which
	// wait for those who do not read.
	var conns []net.Conn
	for range 5 {
		conn, err := via.Dial(t.Context(), rude)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("the other side spoke")
		}
		_ = conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = io.WriteString(conn, "to nobody")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_ = ask(ctx, Target{Target: diagnose.Target{Probe: probe.TCP}, Port: port}, via, "")
	if got := ask(t.Context(), Target{Target: diagnose.Target{Probe: probe.TCP}, Port: port}, via, ""); !got.OK {
		t.Errorf("got %+v", got)
	}
}
