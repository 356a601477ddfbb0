package postgres

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"zr/internal/api/dev"
	"zr/internal/api/store/storetest"
)

// Of each target the acts from its time on are there, until a minute later, and nothing
// that was refused.
func TestActsWithin(t *testing.T) {
	s := open(t, storetest.Database(t))
	await(t, s, "")
	act := func(second int, actor, action, target, outcome string) {
		t.Helper()
		r := AuditRecord{At: at(second), Actor: actor, Action: action, Target: target, Outcome: outcome}
		_, _ = rand.Read(r.Key[:])
		if err := s.Audit(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	act(9, "eve", "stopService", "web", Done)
	act(10, "ada", "restartService", "web", Done)
	act(11, "eve", "stopService", "web", Refused)
	act(12, "ada", "scaleService", "other/web", Done)
	act(13, "bob", "scaleService", "db", Failed)
	act(69, "bob", "startService", "web", Done)
	act(70, "eve", "stopService", "web", Done)
	said := func(targets []string, since ...time.Time) string {
		t.Helper()
		acts, err := s.ActsWithin(t.Context(), targets, since, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, a := range acts {
			all = append(all, fmt.Sprintf("%s %s %s", a.Actor, a.Action, a.Target))
		}
		return strings.Join(all, ", ")
	}
	if got := said([]string{"web", "web", "nobody"}, at(10), at(10), at(10)); got != "bob startService web, ada restartService web" {
		t.Errorf("got %s", got)
	}
	if got := said([]string{"web", "db"}, at(70), at(10)); got != "eve stopService web, bob scaleService db" {
		t.Errorf("got %s", got)
	}
	for range 30 {
		act(71, "bob", "scaleService", "cache", Failed)
	}
	act(72, "ada", "setSecret", "secrets/API_TOKEN", Done)
	act(72, "ada", "setSecret", "lab/secrets/API_TOKEN", Done)
	act(73, "bob", "scaleService", "cache", Failed)
	if got := said([]string{"secrets/", "cache"}, at(71), at(71)); got != "bob scaleService cache, ada setSecret secrets/API_TOKEN" {
		t.Errorf("got %s", got)
	}
	if got := said(nil); got != "" {
		t.Errorf("of nothing: %s", got)
	}
}

// Of each service the last save that was live and the last write are there, whatever a run
// tells beside them.
func TestLastRunChanges(t *testing.T) {
	url := storetest.Database(t)
	s := open(t, url)
	await(t, s, "")
	seq := int64(0)
	tell := func(environment, user, kind, service string, second int, data map[string]any) {
		t.Helper()
		seq++
		text, err := json.Marshal(data)
		if err == nil {
			err = s.AddRunEvents(t.Context(), environment, []dev.NewEvent{{Seq: seq, RunEvent: dev.RunEvent{Run: "r", Verb: "dev", User: user, At: at(second), Type: kind, Service: service, Data: text}}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tell("", "ada", "reload", "web", 1, map[string]any{"paths": []string{"a.go"}})
	tell("", "bob", "reload", "web", 2, map[string]any{"paths": []string{"a.go"}})
	tell("", "eve", "reload", "web", 3, map[string]any{"error": "a.go:1: no"})
	tell("", "eve", "service.state", "web", 4, map[string]any{"state": "healthy"})
	tell("other", "eve", "reload", "web", 5, map[string]any{})
	tell("", "ada", "service.written", "web", 6, map[string]any{"written": "2026-01-02T12:00:05Z"})
	tell("", "eve", "service.written", "db", 7, map[string]any{"written": "at noon"})
	got, err := s.LastRunChanges(t.Context(), "", []string{"db", "nobody", "web"})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, c := range got {
		said = append(said, fmt.Sprintf("%s %s %s %s %t", c.User, c.Type, c.Service, c.At.Format("05"), c.Written.Equal(at(5))))
	}
	// The order is none.
	for _, want := range []string{"bob reload web 02 false", "ada service.written web 06 true", "eve service.written db 07 false"} {
		if !strings.Contains(strings.Join(said, ", "), want) {
			t.Errorf("%q is not there", want)
		}
	}
	if len(got) != 3 {
		t.Errorf("got %v", said)
	}
}
