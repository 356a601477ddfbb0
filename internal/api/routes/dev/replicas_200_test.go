package dev_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/routes/dev"
	"zr/internal/api/store/storetest"
	"zr/pkg/devattach"
	"zr/pkg/devattach/attachment"
	"zr/pkg/event"
)

// newReplicas returns two that share everything.
func newReplicas(t *testing.T) (a, b *api) {
	t.Helper()
	settings := apitest.WithServers(t)
	return runAPI(t, settings), runAPI(t, settings)
}

// A zr dev that is attached to one replica is seen at another one, with what it does and
// tells, and does what is asked for there.
func TestReplicas200(t *testing.T) {
	a, b := newReplicas(t)
	next := b.watch("")
	next()
	l := newAttachment(t, "one", map[devattach.Action]attachment.Do{devattach.Restart: func(context.Context, json.RawMessage) (any, error) {
		return event.Reload{Service: "api", Action: event.Restart}, nil
	}})
	l.Found(address(a.App), "")
	if f := next(); f.Attached == nil || len(*f.Attached) != 1 || (*f.Attached)[0].Run != "one" || (*f.Attached)[0].User != "ada" || !*f.Complete {
		t.Fatalf("when one has come: %+v", f)
	}
	l.Emit(event.ServiceState{Service: "api", State: event.Building})
	for told := false; !told; {
		f := next()
		told = len(f.Events) == 1 && strings.Contains(string(f.Events[0].Data), `"api"`)
	}
	got := b.attached(func(r dev.AttachedRuns) bool { return len(r.Attached) == 1 && len(r.Attached[0].Now) == 1 }).Attached[0]
	if got.Now[0].What != "api" || got.Now[0].State != "building" {
		t.Errorf("he does %+v", got.Now)
	}
	if got := b.Send(http.MethodPost, "/api/v1/dev/restart", `{"service":"api"}`, b.page...); got.Status != 200 || !strings.Contains(got.Body, `"api"`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := b.Send(http.MethodPost, "/api/v1/dev/rebuild", `{"service":"api"}`, b.page...); got.Status != 409 || got.Problem(t) != "conflict" {
		t.Errorf("what it does not know: %d %s", got.Status, got.Body)
	}
	second := newAttachment(t, "one", nil) // the same run, on another connection
	second.Found(address(b.App), "")
	for !strings.Contains(b.Log.String(), "zr is attached") {
		b.attached(runs(1))
	}
	got = a.attached(func(r dev.AttachedRuns) bool { return len(r.Attached) == 1 && len(r.Attached[0].Actions) == 0 }).Attached[0]
	if len(got.Now) != 1 {
		t.Errorf("what it did is forgotten when it comes to another replica: %+v", got.Now)
	}
	second.Close()
	l.Close()
	a.attached(runs(0))
	b.attached(runs(0))
}

// A replica that ends while a run of its is asked through another one is told of, and not
// waited for.
func TestReplicas502(t *testing.T) {
	a, b := newReplicas(t)
	l := newAttachment(t, "one", map[devattach.Action]attachment.Do{devattach.Restart: func(ctx context.Context, _ json.RawMessage) (any, error) {
		go a.Stop()
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	l.Found(address(a.App), "")
	b.attached(runs(1))
	got := b.Send(http.MethodPost, "/api/v1/dev/restart", `{"service":"api"}`, b.page...)
	if got.Status != 502 || got.Problem(t) != "dev_failed" || !strings.Contains(got.Body, "has gone") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	b.attached(runs(0))
}

// Without Redis each replica has its own runs, and says that there may be more.
func TestReplicasAlone200(t *testing.T) {
	settings := apitest.WithServers(t)
	redis := storetest.NewRedis(t)
	redis.Start()
	settings["REDIS_URL"] = redis.URL()
	a, b := runAPI(t, settings), runAPI(t, settings)
	var made struct{ Secret string }
	a.Send(http.MethodPost, "/api/v1/tokens", `{"name":"test","role":"operator"}`, a.page...).Decode(t, &made)
	a.page = []string{"Authorization", "Bearer " + made.Secret} // needs no Redis
	b.page = a.page
	l := newAttachment(t, "one", map[devattach.Action]attachment.Do{devattach.Restart: func(context.Context, json.RawMessage) (any, error) {
		return event.Reload{Service: "api"}, nil
	}})
	l.Found(address(a.App), "")
	b.attached(func(r dev.AttachedRuns) bool { return len(r.Attached) == 1 && r.Complete })
	redis.Stop()
	a.attached(func(r dev.AttachedRuns) bool { return len(r.Attached) == 1 && !r.Complete })
	b.attached(func(r dev.AttachedRuns) bool { return len(r.Attached) == 0 && !r.Complete })
	if got := a.Send(http.MethodPost, "/api/v1/dev/restart", `{"service":"api"}`, a.page...); got.Status != 200 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	got := b.Send(http.MethodPost, "/api/v1/dev/restart", `{"service":"api"}`, b.page...)
	if got.Status != 409 || got.Problem(t) != "not_attached" || !strings.Contains(got.Body, "redis is away") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	redis.Start()
	b.attached(func(r dev.AttachedRuns) bool { return len(r.Attached) == 1 && r.Complete })
	if got := b.Send(http.MethodPost, "/api/v1/dev/restart", `{"service":"api"}`, b.page...); got.Status != 200 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
