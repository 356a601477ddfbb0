package logs_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"zr/internal/api/routes/logs"
	"zr/internal/api/store/storetest"
)

// read returns the messages of the next n lines, and the id of the last.
func read(t *testing.T, conn *websocket.Conn, n int) (said string, last string) {
	t.Helper()
	for got := 0; got < n; {
		_, frame, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var lines []logs.Line
		if err := json.Unmarshal(frame, &lines); err != nil {
			t.Fatal(err)
		}
		var raw []struct{ ID string }
		if err := json.Unmarshal(frame, &raw); err != nil {
			t.Fatal(err)
		}
		for i, l := range lines {
			said += l.Message + " "
			last = raw[i].ID
			got++
		}
	}
	return strings.TrimSpace(said), last
}

func TestLive101(t *testing.T) {
	a, from, c := serve(t, storetest.Database(t))
	from <- "before"
	for c.Stats().Last == 0 {
		if t.Context().Err() != nil {
			t.Fatal("the line does not come")
		}
	}
	dial := func(query string) *websocket.Conn {
		t.Helper()
		conn, _, err := websocket.Dial(t.Context(), a.URL()+"/api/v1/logs/live"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.CloseNow() })
		return conn
	}
	everything := dial("?after=0")
	if said, _ := read(t, everything, 1); said != "before" {
		t.Errorf("after 0 came %q", said)
	}
	errors := dial("?after=0&level=error&regexp=x%5B12%5D")
	for _, text := range []string{"ERROR x1", "x2", "ERROR x3", "ERROR x2"} {
		from <- text
	}
	said, last := read(t, errors, 2)
	if said != "ERROR x1 ERROR x2" {
		t.Errorf("filtered came %q", said)
	}
	again := dial("?after=" + last)
	from <- "then"
	if said, _ := read(t, again, 1); said != "then" {
		t.Errorf("a client that comes back was sent %q", said)
	}
	resp, err := func() (*http.Response, error) {
		conn, resp, err := websocket.Dial(t.Context(), a.URL()+"/api/v1/logs/live", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"http://evil.example"}}})
		if err == nil {
			_ = conn.CloseNow()
		}
		return resp, err
	}()
	if err == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("a page of another origin may watch: %v", err)
	}
}
