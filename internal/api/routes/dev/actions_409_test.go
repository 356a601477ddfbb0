package dev_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"zr/pkg/devattach"
	"zr/pkg/devattach/attachment"
)

// Without a zr dev nothing is done, and that is what is said.
func TestActions409(t *testing.T) {
	a := newAPI(t)
	restart := func(service string) (int, string, string) {
		got := a.Send(http.MethodPost, "/api/v1/dev/restart", `{"service":"`+service+`"}`, a.page...)
		return got.Status, got.Problem(t), got.Body
	}
	if status, code, body := restart("api"); status != 409 || code != "not_attached" || !strings.Contains(body, "no zr dev is attached") {
		t.Errorf("nobody is there: %d %s", status, body)
	}
	up := attachment.New(devattach.Hello{Run: "up", Verb: devattach.Up})
	defer up.Close()
	up.Found(address(a.App), "")
	a.attached(runs(1))
	if status, code, body := restart("api"); status != 409 || code != "not_attached" {
		t.Errorf("a zr up is there: %d %s", status, body)
	}
	old := newAttachment(t, "old", map[devattach.Action]attachment.Do{devattach.Rebuild: nothing})
	old.Found(address(a.App), "")
	a.attached(runs(2))
	if status, code, body := restart("api"); status != 409 || code != "conflict" || !strings.Contains(body, "cannot restart") {
		t.Errorf("an older one is there: %d %s", status, body)
	}
	refusing := newAttachment(t, "refusing", map[devattach.Action]attachment.Do{devattach.Restart: func(_ context.Context, argument json.RawMessage) (any, error) {
		switch {
		case strings.Contains(string(argument), "redis"):
			return nil, &devattach.Failure{Code: devattach.NotFound, Text: "no such service"}
		case strings.Contains(string(argument), "broken"):
			return nil, errors.New("main.go:3: undefined: x")
		}
		return nil, &devattach.Failure{Code: devattach.Conflict, Text: "not now"}
	}})
	refusing.Found(address(a.App), "")
	a.attached(runs(3))
	for service, want := range map[string]struct {
		status int
		code   string
	}{"redis": {404, "not_found"}, "broken": {502, "dev_failed"}, "api": {409, "conflict"}} {
		if status, code, body := restart(service); status != want.status || code != want.code {
			t.Errorf("%s: %d %s", service, status, body)
		}
	}
	log := a.Request("GET", "/api/v1/activity?action=devRestart", a.page...).Body
	if strings.Count(log, `"refused"`) != 5 || strings.Count(log, `"failed"`) != 1 {
		t.Errorf("the audit log has %s", log)
	}
}

// One that goes before it has answered is told of, and not waited for.
func TestActions502(t *testing.T) {
	a := newAPI(t)
	asked := make(chan struct{})
	l := newAttachment(t, "one", map[devattach.Action]attachment.Do{devattach.Restart: func(ctx context.Context, _ json.RawMessage) (any, error) {
		close(asked)
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	l.Found(address(a.App), "")
	a.attached(runs(1))
	go func() {
		<-asked
		l.Close()
	}()
	got := a.Send(http.MethodPost, "/api/v1/dev/restart", `{"service":"api"}`, a.page...)
	if got.Status != 502 || got.Problem(t) != "dev_failed" || !strings.Contains(got.Body, "has gone") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// Those who may only look may see who is attached, and ask for nothing.
func TestActions403(t *testing.T) {
	a := newAPI(t)
	viewer := a.LogIn("viewer")
	if got := a.Request("GET", "/api/v1/dev", viewer...); got.Status != 200 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	for _, path := range []string{"/restart", "/rebuild"} {
		if got := a.Send("POST", "/api/v1/dev"+path, `{"service":"api"}`, viewer...); got.Status != 403 {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	if got := a.Request("GET", devattach.Path, viewer...); got.Status != 403 {
		t.Errorf("attaching: %d %s", got.Status, got.Body)
	}
	if got := a.Request("GET", devattach.Path); got.Status != 401 {
		t.Errorf("attaching without a session: %d %s", got.Status, got.Body)
	}
}
