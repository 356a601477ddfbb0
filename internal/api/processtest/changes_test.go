package processtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/api/apitest/clustertest"
	"zr/internal/api/contract"
	"zr/internal/api/processtest"
	"zr/internal/api/routes/configuration"
)

const settingsPath = contract.Base + "/configuration"

// changer changes the settings again and again, through any replica, and keeps what was
// accepted.
type changer struct {
	t     *testing.T
	ctx   context.Context
	pair  *pair
	token string

	mu        sync.Mutex
	revisions map[int64]string // that were accepted, with their reasons
}

// change makes settings, and who changes them until ctx ends.
func change(ctx context.Context, t *testing.T, p *pair, n *clustertest.Namespace) *changer {
	t.Helper()
	n.Create(n.Client("", "v1", "configmaps"), `{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, annotations: {zr.dev/source: config/dev.yaml}}, data: {N: "0"}}`)
	return &changer{t: t, ctx: ctx, pair: p, token: p.running()[0].Token(), revisions: map[int64]string{}}
}

func (c *changer) accepted() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.revisions)
}

func (c *changer) run() {
	for n := 1; c.ctx.Err() == nil; n++ {
		all := c.pair.running()
		c.change(all[n%len(all)], n)
		select {
		case <-c.ctx.Done():
		case <-time.After(250 * time.Millisecond): // a caller has five in a second
		}
	}
}

// change makes one. What is not answered with success is not accepted.
func (c *changer) change(a *processtest.API, n int) {
	resp := c.ask(a, http.MethodGet, "", "")
	if resp == nil {
		return
	}
	etag := resp.Header.Get("ETag")
	_ = resp.Body.Close()
	reason := fmt.Sprintf("change %d", n)
	resp = c.ask(a, http.MethodPut, etag, fmt.Sprintf(`{"text":"N: '%d'\n","reason":%q}`, n, reason))
	if resp == nil {
		return
	}
	defer resp.Body.Close()
	var written configuration.SettingsWritten
	if json.NewDecoder(resp.Body).Decode(&written) != nil || written.Revision == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revisions[written.Revision] = reason
}

// ask returns an answer with success, or nil.
func (c *changer) ask(a *processtest.API, method, etag, body string) *http.Response {
	ctx := c.ctx
	req, err := http.NewRequestWithContext(ctx, method, a.URL+settingsPath, strings.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return nil
	}
	req.Header = http.Header{"Authorization": {"Bearer " + c.token}, "Content-Type": {"application/json"}, "If-Match": {etag}}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil
	}
	return resp
}

// kept looks for every change that was accepted among the revisions and in the audit log,
// and returns how many of them are there.
func (c *changer) kept(client *processtest.Client) (revisions, recorded int) {
	c.t.Helper()
	stored := map[int64]configuration.SettingsRevision{}
	for cursor := ""; ; {
		var page configuration.SettingsRevisions
		client.Get(settingsPath+"/revisions?limit=500&cursor="+cursor, &page)
		for _, r := range page.Revisions {
			stored[r.Revision] = r
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	told := map[string]bool{}
	for _, r := range records(client, "action=changeSettings&outcome=done") {
		revision, _, _ := strings.Cut(r.Detail, ":")
		told[revision] = true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, reason := range c.revisions {
		if r, there := stored[id]; there && r.Reason == reason && r.Outcome == "written" {
			revisions++
		} else {
			c.t.Errorf("revision %d, %q, was accepted and is %+v", id, reason, r)
		}
		if told[fmt.Sprintf("revision %d", id)] {
			recorded++
		} else {
			c.t.Errorf("revision %d, %q, was accepted and is not in the audit log", id, reason)
		}
	}
	return revisions, recorded
}
