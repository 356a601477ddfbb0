package dev_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"zr/internal/api/apitest"
	"zr/internal/api/routes/dev"
	"zr/internal/api/store/storetest"
	"zr/pkg/event"
)

// events waits until so many events that a query chooses are stored.
func (a *api) events(query string, n int) dev.RunEvents {
	a.t.Helper()
	var last dev.RunEvents
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		last = dev.RunEvents{}
		a.Request(http.MethodGet, "/api/v1/dev/events?"+query, a.page...).Decode(a.t, &last)
		if len(last.Events) == n {
			return last
		}
	}
	a.t.Fatalf("events stay %+v", last)
	return last
}

// What a run tells is stored once, in its order, with the lines that a compiler named,
// and without secrets.
func TestEvents200(t *testing.T) {
	a := newAPI(t)
	l := newAttachment(t, "one", nil)
	l.Emit(event.StepStarted{Step: "build", Title: "build images"})
	l.Emit(event.LogLine{Text: "is not told"})
	l.Emit(event.Problem{Source: "api", Text: "go build ./cmd/zr-api: exit status 1: cmd/zr-api/main.go:12:3: undefined: x\n./a.go:7: \x00" + apitest.LoginKey + "\n127.0.0.1:80: refused"})
	l.Emit(event.Reload{Service: "api", Paths: []string{"cmd/zr-api/main.go"}, Error: "crashed\nsrc/a.ts(3,5): error TS1: no"})
	l.Emit(event.Ready{Endpoints: map[string]string{"api": "http://localhost:1"}, Login: "http://localhost:1/login#secret"})
	l.Found(address(a.App), "")
	got := a.events("", 4).Events
	types := ""
	for _, e := range got {
		types += e.Type + " "
		if e.Run != "one" || e.User != "ada" || e.Machine != "laptop" || e.Folder != "/home/ada/shop" || e.Verb != "dev" || e.At.IsZero() {
			t.Errorf("got %+v", e)
		}
	}
	if types != "ready reload problem step.started " {
		t.Errorf("got %s", types)
	}
	problem := got[2]
	if problem.Service != "api" || len(problem.Places) != 2 || problem.Places[0].File != "cmd/zr-api/main.go" || problem.Places[0].Line != 12 ||
		problem.Places[0].Column != 3 || problem.Places[0].Message != "undefined: x" || problem.Places[1].File != "a.go" || problem.Places[1].Line != 7 {
		t.Errorf("got %+v", problem)
	}
	if places := got[1].Places; len(places) != 1 || places[0].File != "src/a.ts" || places[0].Line != 3 || places[0].Column != 5 {
		t.Errorf("got %+v", places)
	}
	if all := string(problem.Data) + string(got[0].Data); strings.Contains(all, apitest.LoginKey) || strings.Contains(all, "login#") {
		t.Errorf("a secret is in %s", all)
	}
	if page := a.events("limit=3", 3); page.Next == "" || len(a.events("limit=3&cursor="+url.QueryEscape(page.Next), 1).Events) != 1 {
		t.Error("the second page has not the rest")
	}
	a.events("type=reload&type=ready", 2)
	a.events("service=api", 2)
	a.events("run=other", 0)
	if failed := a.events("failed=true", 1).Events; failed[0].Type != "reload" {
		t.Errorf("what failed is %+v", failed)
	}
}

// An api that comes later, and a database that was away, get what happened before.
func TestEventsWait200(t *testing.T) {
	postgres := storetest.NewPostgres(t)
	postgres.Start()
	settings := apitest.WithServers(t)
	settings["DATABASE_URL"] = postgres.URL("postgres")
	running := apitest.Run(t, settings)
	a := &api{running, t, running.LogIn("operator")}
	l := newAttachment(t, "one", nil)
	l.Found(address(a.App), "")
	l.Emit(event.Notice{Text: "first"})
	a.events("", 1)
	postgres.Stop()
	l.Emit(event.Notice{Text: "second"})
	for !strings.Contains(a.Log.String(), "will be told again") {
		if t.Context().Err() != nil {
			t.Fatal("the api has not said that it could not store them")
		}
		time.Sleep(time.Millisecond)
	}
	a.attached(runs(1)) // which does not depend on the database
	postgres.Start()
	if got := a.events("", 2).Events; !strings.Contains(string(got[0].Data), "second") {
		t.Errorf("got %+v", got)
	}
}

// Whoever emits does not wait, and memory is bounded, while there is no api.
func TestNobodyWaits200(t *testing.T) {
	a := newAPI(t)
	l := newAttachment(t, "one", nil)
	for range 3000 {
		l.Emit(event.Notice{Text: "one of many"})
	}
	l.Emit(event.Notice{Text: "the last"})
	l.Found(address(a.App), "")
	var newest dev.RunEvents
	for ctx, cancel := context.WithTimeout(t.Context(), time.Minute); ; time.Sleep(10 * time.Millisecond) {
		defer cancel()
		newest = a.events("limit=1", 1)
		if strings.Contains(string(newest.Events[0].Data), "the last") || ctx.Err() != nil {
			break
		}
	}
	if got := a.events("limit=500", 500); !strings.Contains(string(got.Events[0].Data), "the last") || got.Next == "" {
		t.Errorf("the newest is %+v", got.Events[0])
	}
}
