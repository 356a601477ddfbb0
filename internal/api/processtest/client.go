package processtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"zr/internal/api/contract"
	"zr/internal/api/routes/logs"
)

// Token makes a token for scripts, which outlives Redis, and returns it.
func (a *API) Token() string {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.URL+contract.Base+"/tokens", strings.NewReader(`{"name":"test","role":"operator"}`))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header = http.Header{"Cookie": {a.LogIn("operator")}, "Origin": {"http://localhost:3000"}, "Content-Type": {"application/json"}}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	var made struct{ Secret string }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || made.Secret == "" {
		a.t.Fatalf("making a token: %d %v", resp.StatusCode, err)
	}
	return made.Secret
}

// Client is a client of some replicas, any of which may be away.
type Client struct {
	t        testing.TB
	token    string
	replicas func() []*API
}

// NewClient returns one with a token of Token. replicas are those that run now.
func NewClient(t testing.TB, token string, replicas func() []*API) *Client {
	return &Client{t, token, replicas}
}

func (c *Client) header() http.Header { return http.Header{"Authorization": {"Bearer " + c.token}} }

// Text asks one of the replicas, once, and returns the whole answer.
func (c *Client) Text(path string) string {
	c.t.Helper()
	status, body, err := c.ask(c.replicas()[0], path)
	if err != nil || status != http.StatusOK {
		c.t.Errorf("%s: %d %v", path, status, err)
	}
	return string(body)
}

func (c *Client) ask(a *API, path string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, a.URL+path, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header = c.header()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// Get asks until one of the replicas answers with success, and decodes that.
func (c *Client) Get(path string, into any) {
	c.t.Helper()
	last := "nobody"
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		for _, a := range c.replicas() {
			status, body, err := c.ask(a, path)
			if err == nil && status == http.StatusOK && json.Unmarshal(body, into) == nil {
				return
			}
			last = fmt.Sprint(status, err, string(body))
		}
	}
	c.t.Fatalf("%s: %s", path, last)
}

// Watch passes every frame of the live logs to seen until ctx ends. When a
// connection ends it goes on at the next replica, after the last line that it has.
func (c *Client) Watch(ctx context.Context, seen func([]logs.Line)) {
	after := ""
	for n := 0; ctx.Err() == nil; n++ {
		all := c.replicas()
		if err := c.watch(ctx, all[n%len(all)], &after, seen); err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

func (c *Client) watch(ctx context.Context, a *API, after *string, seen func([]logs.Line)) error {
	path := contract.Base + "/logs/live"
	if *after != "" {
		path += "?after=" + url.QueryEscape(*after)
	}
	dialing, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, resp, err := websocket.Dial(dialing, a.URL+path, &websocket.DialOptions{HTTPHeader: c.header()})
	if err != nil {
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
		}
		return err
	}
	defer func() { _ = conn.CloseNow() }() // the replica may be gone
	conn.SetReadLimit(-1)
	for {
		_, frame, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		var lines []logs.Line
		if err := json.Unmarshal(frame, &lines); err != nil {
			return err
		}
		for _, l := range lines {
			if l.ID != 0 {
				*after = fmt.Sprint(l.ID)
			}
		}
		seen(lines)
	}
}

// Stored returns all lines that are stored, the oldest first.
func (c *Client) Stored() []logs.Line {
	c.t.Helper()
	var all []logs.Line
	for cursor := ""; ; {
		var page logs.Found
		c.Get(contract.Base+"/logs?order=oldest&limit=1000&cursor="+cursor, &page)
		all = append(all, page.Lines...)
		if cursor = page.Next; cursor == "" {
			return all
		}
	}
}
