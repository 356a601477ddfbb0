package proc

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zr/pkg/probe"
)

// asked is the Health of a test's server.
func asked(t *testing.T, srv *httptest.Server, p probe.Probe) *Health {
	t.Helper()
	p.Port = int32(srv.Listener.Addr().(*net.TCPAddr).Port)
	h, err := NewHealth(p, probe.Options{Host: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAwait(t *testing.T) {
	var mu sync.Mutex
	status, body := 503, ""
	set := func(s int, b string) { mu.Lock(); defer mu.Unlock(); status, body = s, b }
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	defer srv.Close()
	h := asked(t, srv, probe.Probe{Kind: probe.HTTP, Path: "/health", Timeout: 10 * time.Second})
	p, _ := start(t, "sleep")
	await := func(h *Health, p *Process, timeout time.Duration) error {
		ctx, cancel := context.WithTimeoutCause(t.Context(), timeout, errors.New("too late"))
		defer cancel()
		return h.Await(ctx, p, "abc")
	}
	for _, c := range []struct {
		status int
		body   string
		want   string
	}{
		{200, "", ""},
		{204, "", ""},
		{200, "not JSON", ""},
		{200, `{"build":"abc"}`, ""},
		{200, `{"status":"ok"}`, ""},
		{200, `{"build":"old"}`, "too late: build old answered, not abc"},
		{404, "", "too late: GET " + srv.URL + "/health: 404 Not Found"},
	} {
		set(c.status, c.body)
		limit := time.Minute
		if c.want != "" { // long enough for one answer on any machine
			limit = time.Second
		}
		err := await(h, p, limit)
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%d %q: %v, want %q", c.status, c.body, err, c.want)
		}
	}
	if err := await(&Health{}, p, 10*time.Second); err != nil {
		t.Errorf("without a probe: %v", err)
	}
	set(503, "")
	gone, _ := start(t, "exit")
	if err := await(h, gone, time.Hour); !errors.Is(err, errExited) || !strings.Contains(err.Error(), "status 7") {
		t.Errorf("of a process that ended: %v", err)
	}
}

// TestAVerdictTakesSoManyAnswers: as many in a row as the probe says, for both.
func TestAVerdictTakesSoManyAnswers(t *testing.T) {
	var n atomic.Int64
	answers := []int{200, 200, 503, 200, 200, 200, 503, 200, 503, 503, 200, 200, 200}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(answers[min(int(n.Add(1)), len(answers))-1])
	}))
	defer srv.Close()
	h := asked(t, srv, probe.Probe{Kind: probe.HTTP, Successes: 3, Failures: 2, Period: time.Millisecond, Timeout: 10 * time.Second})
	p, _ := start(t, "sleep")
	if err := h.Await(t.Context(), p, ""); err != nil || n.Load() != 6 {
		t.Fatalf("healthy after %d answers: %v", n.Load(), err)
	}
	type change struct {
		err   error
		after int64
	}
	changes := make(chan change, 10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go h.Watch(ctx, p, "", func(err error) { changes <- change{err, n.Load()} })
	if c := <-changes; c.err == nil || c.after != 10 {
		t.Errorf("the first verdict is %v, after %d answers", c.err, c.after)
	}
	if c := <-changes; c.err != nil || c.after != 13 {
		t.Errorf("the second verdict is %v, after %d answers", c.err, c.after)
	}
}

func TestRun(t *testing.T) {
	run := func(ctx context.Context, script string) error {
		return Run(ctx, reaper, Command{Argv: []string{"sh", "-c", script}, Dir: t.TempDir(), Env: os.Environ()})
	}
	if err := run(t.Context(), "true"); err != nil {
		t.Error(err)
	}
	if err := run(t.Context(), "echo not yet >&2; exit 3"); err == nil || !strings.Contains(err.Error(), "exited with status 3") || !strings.Contains(err.Error(), "not yet") {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errors.New("too late"))
	defer cancel()
	if err := run(ctx, "sleep 1000000"); err == nil || err.Error() != "too late" {
		t.Error(err)
	}
}

func TestPortOfAProbe(t *testing.T) {
	for _, c := range []struct {
		probe probe.Probe
		want  int
	}{
		{probe.Probe{}, 0},
		{probe.Probe{Kind: probe.HTTP, Port: 8443}, 8443},
		{probe.Probe{Kind: probe.GRPC, Port: 6000}, 6000},
		{probe.Probe{Kind: probe.TCP, Port: 6000, Host: "db.test"}, 0},
	} {
		if h, err := NewHealth(c.probe, probe.Options{}); err != nil || h.Port() != c.want {
			t.Errorf("%+v: %v, %v", c.probe, h, err)
		}
	}
	if _, err := NewHealth(probe.Probe{Kind: probe.HTTP}, probe.Options{}); err == nil {
		t.Error("a probe without a port is taken")
	}
}
