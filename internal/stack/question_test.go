package stack

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/probe"
)

// server listens and has serve answer on each connection.
func server(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	return testkit.Serve(t, serve).String()
}

func opening(kind string) question { return asks(probe.Of(kind), "", "", 0) }

// An accepted connection proves nothing: a proxy with nobody behind it accepts
// one too.
func TestAnAcceptedConnectionIsNoAnswer(t *testing.T) {
	nobody := server(t, func(net.Conn) {}) // as a proxy that cannot go on
	for name, ask := range map[string]question{
		"http": asksHTTP("http", "/", answerTimeout), "https": asksHTTP("https", "/", answerTimeout), "grpc": opening(probe.GRPC),
		"postgres": opening(probe.Postgres), "redis": opening(probe.Redis), "anything": asksAnything,
	} {
		if _, err := ask(t.Context(), nobody); err == nil {
			t.Errorf("%s: a connection that is closed at once is an answer", name)
		}
	}
}

func TestWhatAnswersAtAPort(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	plain := httptest.NewServer(ok)
	t.Cleanup(plain.Close)
	secure := httptest.NewTLSServer(ok)
	t.Cleanup(secure.Close)
	redirects := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound))
	t.Cleanup(redirects.Close)
	h2 := httptest.NewUnstartedServer(ok)
	h2.Config.Protocols = new(http.Protocols)
	h2.Config.Protocols.SetUnencryptedHTTP2(true)
	h2.Start()
	t.Cleanup(h2.Close)
	at := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	for _, tt := range []struct {
		what, address, scheme string
		ask                   question
	}{
		{"http", at(plain), "http", asksHTTP("http", "health", answerTimeout)},
		{"a redirect", at(redirects), "http", asksHTTP("http", "/", answerTimeout)},
		{"https", at(secure), "https", asksHTTP("https", "/", answerTimeout)},
		{"grpc", at(h2), "", opening(probe.GRPC)},
		{"postgres", server(t, func(c net.Conn) {
			if n, _ := io.ReadFull(c, make([]byte, 8)); n == 8 {
				_, _ = io.WriteString(c, "N")
			}
		}), "", opening(probe.Postgres)},
		{"redis", server(t, func(c net.Conn) {
			if line, _ := bufio.NewReader(c).ReadString('\n'); strings.HasPrefix(line, "PING") {
				_, _ = io.WriteString(c, "-NOAUTH\r\n")
			}
		}), "", opening(probe.Redis)},
		{"http of which nothing is known", at(plain), "http", asksAnything},
		{"a server that speaks first", server(t, func(c net.Conn) {
			_, _ = io.WriteString(c, "SSH-2.0-x\r\n")
			_, _ = io.Copy(io.Discard, c)
		}), "", asksAnything},
		{"one that says nothing", server(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), "", asksAnything},
		{"one that does not like HTTP", server(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }), "", asksAnything},
	} {
		if scheme, err := tt.ask(t.Context(), tt.address); err != nil || scheme != tt.scheme {
			t.Errorf("%s: scheme %q, %v", tt.what, scheme, err)
		}
	}
}
