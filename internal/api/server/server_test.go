package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

type panics struct{}

func (panics) ServeHTTP(http.ResponseWriter, *http.Request) { panic("a bug") }

type testServer struct {
	*Server
	address string
}

func serveForTest(t *testing.T, h http.Handler) *testServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &testServer{New(h, slog.New(slog.NewTextHandler(io.Discard, nil))), l.Addr().String()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return s
}

// A request in flight is answered, while connections on which nothing was
// sent, and those that wait for their next request, are closed at once.
func TestStopDrains(t *testing.T) {
	arrived, goOn := make(chan struct{}), make(chan struct{})
	s := serveForTest(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(arrived)
			<-goOn
		}
		_, _ = io.WriteString(w, "done")
	}))
	fresh, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	idle, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if _, err := io.WriteString(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := idle.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	answered := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + s.address + "/slow")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answered <- string(body)
	}()
	<-arrived

	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(t.Context()) }()
	for name, c := range map[string]net.Conn{"fresh": fresh, "idle": idle} {
		if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("the %s connection: %v, want it closed", name, err)
		}
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped (%v) with a request in flight", err)
	default:
	}
	close(goOn)
	if got := <-answered; got != "done" {
		t.Errorf("the request in flight got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestStopGivesUpOnWhatHangs(t *testing.T) {
	arrived, hang := make(chan struct{}), make(chan struct{})
	s := serveForTest(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-hang
	}))
	defer close(hang)
	go func() {
		if resp, err := http.Get("http://" + s.address); err == nil {
			resp.Body.Close()
		}
	}()
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); err == nil || !strings.Contains(err.Error(), "in flight") {
		t.Errorf("got %v", err)
	}
}
