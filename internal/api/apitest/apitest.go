// Package apitest runs the api in a test and asks it.
package apitest

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/api"
	"zr/internal/api/contract"
	"zr/internal/api/store/storetest"
	"zr/internal/testkit"
)

// App is a running api.
type App struct {
	Log  *LogBuffer
	Stop func() int        // tells it to stop and returns its exit code
	Env  map[string]string // its settings, where it was Run

	t   testing.TB
	url string
}

// Serve serves the routes that add adds, without what stands before them in the
// whole api.
func Serve(t testing.TB, add func(*contract.API)) *App {
	t.Helper()
	unguarded := func(_ contract.Rules, h http.Handler) http.Handler { return h }
	a := contract.New(http.NewServeMux(), "test", unguarded, slog.New(slog.DiscardHandler))
	add(a)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.ServeHTTP(w, r.WithContext(contract.WithRequestID(r.Context(), "of-a-test")))
	}))
	t.Cleanup(server.Close)
	return &App{t: t, url: server.URL, Log: &LogBuffer{}}
}

// Run starts the api with these settings, on a free port, and stops it with
// the test. It is open to anybody's reading where the settings do not name READERS.
func Run(t testing.TB, env map[string]string) *App {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := &LogBuffer{}
	address, code := make(chan net.Addr, 1), make(chan int, 1)
	go func() {
		code <- api.Run(ctx, func(name string) string {
			if name == "PORT" {
				return "0"
			}
			if _, said := env[name]; !said && name == "READERS" {
				return "anybody"
			}
			return env[name]
		}, log, func(a net.Addr) { address <- a })
	}()
	stop := sync.OnceValue(func() int {
		cancel()
		return <-code
	})
	t.Cleanup(func() { stop() })
	select {
	case a := <-address:
		_, port, _ := net.SplitHostPort(a.String())
		return &App{t: t, url: "http://127.0.0.1:" + port, Log: log, Stop: stop, Env: env}
	case c := <-code:
		code <- c
		t.Fatalf("the api ended with %d:\n%s", c, log)
		return nil
	}
}

// URL returns where the api is called.
func (a *App) URL() string { return a.url }

// WithServers returns settings with a database and a cache that work.
func WithServers(t testing.TB) map[string]string {
	t.Helper()
	redis := storetest.NewRedis(t)
	redis.Start()
	return map[string]string{"DATABASE_URL": storetest.Database(t), "REDIS_URL": redis.URL(), "LOGIN_KEY": LoginKey, "ZR_BUILD_HASH": "0123456789abcdef"}
}

// Response is an answer that was read.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Decode decodes an answer in JSON.
func (r Response) Decode(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.Body), into); err != nil {
		t.Fatalf("%v in %s", err, r.Body)
	}
}

// Problem returns the code of an answer that is a problem.
func (r Response) Problem(t testing.TB) string {
	t.Helper()
	var p contract.Problem
	r.Decode(t, &p)
	code, ok := strings.CutPrefix(p.Type, "urn:zr:problem:")
	if !ok || p.RequestID == "" || p.Detail == "" || p.Status != r.Status || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("not a problem: %s %s", r.Header.Get("Content-Type"), r.Body)
	}
	return code
}

// Request sends a request; headers are pairs, and "Host" sets the host.
func (a *App) Request(method, path string, headers ...string) Response {
	a.t.Helper()
	return a.Send(method, path, "", headers...)
}

// Send sends a request with a body in JSON, where that is not "".
func (a *App) Send(method, path, body string, headers ...string) Response {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return Response{resp.StatusCode, resp.Header, string(said)}
}

// Get sends a GET request.
func (a *App) Get(path string) Response {
	a.t.Helper()
	return a.Request(http.MethodGet, path)
}

// Await asks for a path until the answer is as wanted.
func (a *App) Await(path string, wanted func(Response) bool) Response {
	a.t.Helper()
	return a.AwaitAs(path, nil, wanted)
}

// AwaitAs is Await with headers, as Request takes them.
func (a *App) AwaitAs(path string, headers []string, wanted func(Response) bool) Response {
	a.t.Helper()
	var last Response
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if last = a.Request(http.MethodGet, path, headers...); wanted(last) {
			return last
		}
	}
	a.t.Fatalf("%s stays %d %s\nlog:\n%s", path, last.Status, last.Body, a.Log.tail())
	return last
}

// Status is for Await: the answer has this status.
func Status(code int) func(Response) bool {
	return func(r Response) bool { return r.Status == code }
}

// LogBuffer takes the log of a running api.
type LogBuffer struct{ testkit.Buffer }

// tail returns the last lines that are not of requests.
func (b *LogBuffer) tail() string {
	var kept []string
	for line := range strings.Lines(b.String()) {
		if !strings.Contains(line, `"msg":"request"`) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept[max(0, len(kept)-40):], "")
}

// Lines returns the log, each line decoded: one that is not JSON fails.
func (b *LogBuffer) Lines(t testing.TB) []map[string]any {
	t.Helper()
	var all []map[string]any
	for scan := bufio.NewScanner(strings.NewReader(b.String())); scan.Scan(); {
		var line map[string]any
		if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
			t.Fatalf("not JSON: %s", scan.Text())
		}
		all = append(all, line)
	}
	return all
}
