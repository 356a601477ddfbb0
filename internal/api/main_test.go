package api

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/api/store/storetest"
	"zr/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// app is a running api.
type app struct {
	t    *testing.T
	url  string
	log  *logBuffer
	stop func() int // tells it to stop and returns its exit code
}

// run starts the api with these settings, on a free port, and stops it with
// the test.
func run(t *testing.T, env map[string]string) *app {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := &logBuffer{}
	address, code := make(chan net.Addr, 1), make(chan int, 1)
	go func() {
		code <- Run(ctx, func(name string) string {
			if name == "PORT" {
				return "0"
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
		return &app{t: t, url: "http://127.0.0.1:" + port, log: log, stop: stop}
	case c := <-code:
		code <- c
		t.Fatalf("the api ended with %d:\n%s", c, log)
		return nil
	}
}

// withServers returns settings with a database and a cache that work.
func withServers(t *testing.T) map[string]string {
	t.Helper()
	redis := storetest.NewRedis(t)
	redis.Start()
	return map[string]string{"DATABASE_URL": storetest.Database(t), "REDIS_URL": redis.URL(), "ZR_BUILD_HASH": "0123456789abcdef"}
}

// response is an answer that was read.
type response struct {
	status int
	header http.Header
	body   string
}

func (r response) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
}

// errorCode returns the code of an answer that is an error.
func (r response) errorCode(t *testing.T) string {
	t.Helper()
	var e struct{ Error apiError }
	r.decode(t, &e)
	if e.Error.RequestID == "" || e.Error.Message == "" {
		t.Errorf("an error without id or message: %s", r.body)
	}
	return e.Error.Code
}

// request sends a request; headers are pairs, and "Host" sets the host.
func (a *app) request(method, path string, headers ...string) response {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, nil)
	if err != nil {
		a.t.Fatal(err)
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
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response{resp.StatusCode, resp.Header, string(body)}
}

func (a *app) get(path string) response {
	a.t.Helper()
	return a.request(http.MethodGet, path)
}

// await asks for a path until the answer is as wanted.
func (a *app) await(path string, wanted func(response) bool) response {
	a.t.Helper()
	var last response
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if last = a.get(path); wanted(last) {
			return last
		}
	}
	a.t.Fatalf("%s stays %d %s\nlog:\n%s", path, last.status, last.body, a.log.tail())
	return last
}

func status(code int) func(response) bool {
	return func(r response) bool { return r.status == code }
}

// logBuffer takes the log of a running api.
type logBuffer struct{ testkit.Buffer }

// tail returns the last lines that are not of requests.
func (b *logBuffer) tail() string {
	var kept []string
	for line := range strings.Lines(b.String()) {
		if !strings.Contains(line, `"msg":"request"`) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept[max(0, len(kept)-40):], "")
}

// lines returns the log, each line decoded: one that is not JSON fails.
func (b *logBuffer) lines(t *testing.T) []map[string]any {
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
