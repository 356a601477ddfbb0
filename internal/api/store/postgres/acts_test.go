package postgres

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"zr/internal/api/dev"
	"zr/internal/api/store/storetest"
)

// The records of some keys are there, and no others.
func TestActs(t *testing.T) {
	s := open(t, storetest.Database(t))
	await(t, s, "")
	key := func(n byte) [16]byte { return [16]byte{n} }
	for n, actor := range []string{"nobody", "ada", "bob", "eve"} {
		if err := s.Audit(t.Context(), AuditRecord{Key: key(byte(n)), At: at(n), Actor: actor, Action: "stopService", Target: "web", Outcome: Done}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		keys [][16]byte
		want []string
	}{
		{[][16]byte{key(1)}, []string{"ada"}},
		{[][16]byte{key(3), key(9), key(1), key(3)}, []string{"ada", "eve"}},
		{[][16]byte{key(9)}, nil},
		{nil, nil},
	} {
		acts, err := s.Acts(t.Context(), tc.keys)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range acts {
			if a.Action != "stopService" || a.Target != "web" || a.Outcome != Done || a.At.IsZero() || !slices.Contains(tc.keys, a.Key) {
				t.Errorf("got %+v", a)
			}
			got = append(got, a.Actor)
		}
		if slices.Sort(got); !slices.Equal(got, tc.want) {
			t.Errorf("of %v: got %v, want %v", tc.keys, got, tc.want)
		}
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
