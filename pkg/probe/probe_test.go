package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"zr/internal/testkit"
)

// asked asks a listener once with a probe of the given kind.
func asked(t *testing.T, listener net.Addr, p Probe, o Options) (Answer, error) {
	t.Helper()
	host, port, err := net.SplitHostPort(listener.String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	p.Port, o.Host = int32(number), host
	if p.Timeout == 0 {
		p.Timeout = 10 * time.Second
	}
	a, err := New(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return a.Ask(t.Context())
}

// verdict compares an error with what it is to contain; nothing means none.
func verdict(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v, want ready", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("got %v, want an error with %q", err, want)
	}
}

func TestHTTP(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" && r.URL.RawQuery != "deep=1" {
			http.Error(w, "query", http.StatusBadRequest)
			return
		}
		fmt.Fprintln(w, `{"build": "abc"}`)
	})
	mux.HandleFunc("/text", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/sick", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "sick", http.StatusServiceUnavailable) })
	mux.HandleFunc("/cached", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/sick", http.StatusFound) })
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/round", http.StatusFound) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusFound)
	})
	mux.HandleFunc("/never", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/headers", func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "shop.test" || r.Header.Get("X-Check") != "1" || !strings.HasPrefix(r.UserAgent(), "kube-probe/") {
			http.Error(w, "headers", http.StatusBadRequest)
		}
	})
	plain, secure := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	defer plain.Close()
	defer secure.Close()
	for _, c := range []struct {
		path, build, want string
		probe             Probe
	}{
		{path: "/health", build: "abc"},
		{path: "health", build: "abc"},
		{path: "/health?deep=1", build: "abc"},
		{path: "/text"},
		{path: "/cached"},
		{path: "/sick", want: "503 Service Unavailable: sick"},
		{path: "/login", want: "503 Service Unavailable"},
		{path: "/round", want: "it redirects more than 10 times"},
		{path: "/away"},
		{path: "/never", want: "no answer within 50ms", probe: Probe{Timeout: 50 * time.Millisecond}},
		{path: "/headers", probe: Probe{Headers: http.Header{"Host": {"shop.test"}, "X-Check": {"1"}}}},
	} {
		t.Run(c.path, func(t *testing.T) {
			c.probe.Kind, c.probe.Path = HTTP, c.path
			answer, err := asked(t, plain.Listener.Addr(), c.probe, Options{})
			verdict(t, err, c.want)
			if answer.Build != c.build {
				t.Errorf("build %q, want %q", answer.Build, c.build)
			}
			c.probe.Scheme = "HTTPS"
			_, err = asked(t, secure.Listener.Addr(), c.probe, Options{})
			verdict(t, err, c.want)
		})
	}
	_, err := asked(t, nobody(t), Probe{Kind: HTTP, Path: "/health"}, Options{})
	verdict(t, err, "connection refused")
}

// nobody is an address that nothing listens on, and that no other test is given.
func nobody(t *testing.T) net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: testkit.FreePort(t)}
}

func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, err = asked(t, l.Addr(), Probe{Kind: TCP}, Options{})
	verdict(t, err, "")
	l.Close()
	_, err = asked(t, nobody(t), Probe{Kind: TCP}, Options{})
	verdict(t, err, "connection refused")
}

// TestGRPC asks a server that answers as the health protocol says.
func TestGRPC(t *testing.T) {
	answers := map[string]struct{ message, status, want string }{
		"":         {message: "\x08\x01", status: "0"},
		"serving":  {message: "\x08\x01", status: "0"},
		"draining": {message: "\x08\x02", status: "0", want: "NOT_SERVING"},
		"unset":    {message: "", status: "0", want: "UNKNOWN"},
		"odd":      {message: "\x08\x09", status: "0", want: "it answered 9"},
		"missing":  {status: "5", want: "no such service"},
		"old":      {status: "12", want: "does not have grpc.health.v1.Health"},
		"broken":   {status: "13", want: `gRPC status "13"`},
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		question, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/grpc.health.v1.Health/Check" || r.ProtoMajor != 2 || r.Header.Get("Content-Type") != "application/grpc" || len(question) < 5 {
			http.Error(w, "no question of gRPC", http.StatusBadRequest)
			return
		}
		service := ""
		if len(question) > 5 {
			service = string(question[7:])
		}
		a := answers[service]
		w.Header().Set("Content-Type", "application/grpc")
		if a.status != "0" {
			w.Header().Set("Grpc-Status", a.status)
			return
		}
		w.Header().Set("Trailer", "Grpc-Status")
		_, _ = w.Write(append([]byte{0, 0, 0, 0, byte(len(a.message))}, a.message...))
		w.Header().Set("Grpc-Status", a.status)
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	for service, answer := range answers {
		t.Run("service "+service, func(t *testing.T) {
			_, err := asked(t, server.Listener.Addr(), Probe{Kind: GRPC, Service: service}, Options{})
			verdict(t, err, answer.want)
		})
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	if _, err := asked(t, plain.Listener.Addr(), Probe{Kind: GRPC}, Options{}); err == nil {
		t.Error("a server that does not speak HTTP/2 is called ready")
	}
}

func TestExec(t *testing.T) {
	var ran []string
	var says error
	run := func(ctx context.Context, command []string) error {
		ran = command
		if command[0] == "sleep" {
			<-ctx.Done()
			return ctx.Err()
		}
		return says
	}
	ask := func(p Probe) error {
		p.Kind = Exec
		a, err := New(p, Options{Run: run})
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Ask(t.Context())
		return err
	}
	verdict(t, ask(Probe{Command: []string{"check", "-q"}}), "")
	if len(ran) != 2 || ran[1] != "-q" {
		t.Errorf("ran %q", ran)
	}
	says = errors.New("exited with status 1")
	verdict(t, ask(Probe{Command: []string{"check"}}), "exited with status 1")
	verdict(t, ask(Probe{Command: []string{"sleep"}, Timeout: time.Millisecond}), "no answer within 1ms")
}

func TestNewRefuses(t *testing.T) {
	for _, p := range []Probe{{}, {Kind: "icmp", Port: 1}, {Kind: HTTP}, {Kind: GRPC, Port: 65536}, {Kind: Exec}} {
		if _, err := New(p, Options{}); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
}

// TestForwarded asks by way of a dialer that learns of a refusal late.
func TestForwarded(t *testing.T) {
	refused := errors.New("connection refused")
	for _, c := range []struct {
		what string
		read func() error // of the pod's end
		want string
	}{
		{"a server that waits", nil, ""},
		{"one that speaks", func() error { return nil }, ""},
		{"one that hangs up", func() error { return io.EOF }, ""},
		{"nobody", func() error { return refused }, "connection refused"},
	} {
		t.Run(c.what, func(t *testing.T) {
			near, far := net.Pipe()
			defer far.Close()
			a, err := New(Probe{Kind: TCP, Port: 7}, Options{Forwarded: true, Dial: func(_ context.Context, port int32) (net.Conn, error) {
				if port != 7 {
					return nil, fmt.Errorf("port %d is dialled", port)
				}
				return late{near, c.read}, nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := a.Ask(t.Context())
			verdict(t, err, c.want)
			if err == nil && answer.Text != "accepts connections" {
				t.Errorf("it says %q", answer.Text)
			}
		})
	}
}

// late is a connection of which the first Read has an end of its own.
type late struct {
	net.Conn
	read func() error
}

func (l late) Read(p []byte) (int, error) {
	if l.read == nil {
		return l.Conn.Read(p)
	}
	return 0, l.read()
}

func TestSays(t *testing.T) {
	run := func(context.Context, []string) error { return nil }
	for want, p := range map[string]Probe{
		"GET https://10.0.0.7:80/up":        {Kind: HTTP, Scheme: "HTTPS", Path: "up", Port: 80},
		"gRPC health of 10.0.0.7:81":        {Kind: GRPC, Port: 81},
		"TCP 10.0.0.8:82":                   {Kind: TCP, Host: "10.0.0.8", Port: 82},
		"exec test -f ready":                {Kind: Exec, Command: []string{"test", "-f", "ready"}},
		"GET http://[fd00::1]:80/health?x=": {Kind: HTTP, Host: "fd00::1", Path: "/health?x=", Port: 80},
	} {
		if a, err := New(p, Options{Host: "10.0.0.7", Run: run}); err != nil || a.String() != want {
			t.Errorf("%v, %v, want %s", a, err, want)
		}
	}
}
