package lastchange

import (
	"testing"
	"time"

	"zr/internal/api/fleet"
	"zr/internal/api/store/postgres"
)

func at(second int) time.Time { return time.Date(2026, 1, 2, 3, 4, second, 0, time.UTC) }

func TestWritten(t *testing.T) {
	for _, tc := range []struct {
		of   fleet.Write
		want string
	}{
		{fleet.Write{Manager: "zr"}, Deployed},
		{fleet.Write{Manager: "zr-api"}, Changed},
		{fleet.Write{Manager: "kubectl-edit"}, Changed},
		{fleet.Write{Manager: "zr", ScaledWith: "kubectl"}, Deployed},
	} {
		if got := written(tc.of); got.What != tc.want || got.With != tc.of.Manager || got.ScaledWith != tc.of.ScaledWith || got.By != "" {
			t.Errorf("%+v: got %+v", tc.of, got)
		}
	}
}

// A name is given where only one can be meant.
func TestActed(t *testing.T) {
	act := func(second int, actor, action, target string) postgres.AuditRecord {
		return postgres.AuditRecord{At: at(second), Actor: actor, Action: action, Target: target}
	}
	change := Change{At: at(10), What: Changed, With: byAPI}
	for _, tc := range []struct {
		name     string
		acts     []postgres.AuditRecord
		what, by string
	}{
		{"one", []postgres.AuditRecord{act(12, "ada", "restartService", "web")}, Restarted, "ada"},
		{"the same twice", []postgres.AuditRecord{act(20, "ada", "scaleService", "web"), act(12, "ada", "scaleService", "web")}, Scaled, "ada"},
		{"of settings", []postgres.AuditRecord{act(12, "ada", "changeSettings", "settings")}, Configured, "ada"},
		{"before it", []postgres.AuditRecord{act(9, "ada", "restartService", "web")}, Changed, ""},
		{"of another service", []postgres.AuditRecord{act(12, "ada", "restartService", "db")}, Changed, ""},
		{"that changes no workload", []postgres.AuditRecord{act(12, "ada", "rebuildService", "web")}, Changed, ""},
		{"two people", []postgres.AuditRecord{act(20, "bob", "restartService", "web"), act(12, "ada", "restartService", "web")}, Changed, ""},
		{"two things of one", []postgres.AuditRecord{act(20, "ada", "scaleService", "web"), act(12, "ada", "restartService", "web")}, Scaled, "ada"},
		{"a secret", []postgres.AuditRecord{act(12, "ada", "setSecret", "secrets/API_TOKEN")}, Configured, "ada"},
		{"a secret and settings", []postgres.AuditRecord{act(20, "bob", "changeSettings", "settings"), act(12, "ada", "setSecret", "secrets/API_TOKEN")}, Changed, ""},
		{"a secret of another environment", []postgres.AuditRecord{act(12, "ada", "setSecret", "lab/secrets/API_TOKEN")}, Changed, ""},
		{"a service and the settings", []postgres.AuditRecord{act(20, "ada", "changeSettings", "settings"), act(12, "bob", "restartService", "web")}, Changed, ""},
		{"none", nil, Changed, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := acted(change, tc.acts, change.At.Add(actsWithin), "web", "settings", "secrets/"); got != (Change{change.At, tc.what, tc.by, byAPI, ""}) {
				t.Errorf("got %+v", got)
			}
		})
	}
	for name, a := range map[string]postgres.AuditRecord{
		"of settings, which others may read": act(12, "ada", "changeSettings", "settings"),
		"that failed":                        {At: at(12), Actor: "ada", Action: "restartService", Target: "web", Outcome: postgres.Failed},
	} {
		if got := acted(change, []postgres.AuditRecord{a}, at(13), "web", "settings"); got != change {
			t.Errorf("one %s, while that of somebody else may come: %+v", name, got)
		}
	}
	if got := acted(change, []postgres.AuditRecord{act(12, "ada", "restartService", "web")}, at(13), "web"); got.By != "ada" {
		t.Errorf("what was done to the service itself: %+v", got)
	}
	late := act(0, "ada", "restartService", "web")
	late.At = change.At.Add(actsWithin + time.Second)
	if got := acted(change, []postgres.AuditRecord{late}, late.At, "web"); got != change {
		t.Errorf("later than any act may be: %+v", got)
	}
}

// Only the run that tells the very time is named.
func TestDeployed(t *testing.T) {
	change := Change{At: at(10), What: Deployed, With: byZr}
	runs := []postgres.RunChange{
		{Service: "web", Type: "service.written", User: "ada", At: at(11), Written: at(10)},
		{Service: "web", Type: "reload", User: "eve", At: at(9), Written: at(10)},
		{Service: "db", Type: "service.written", User: "bob", At: at(10), Written: at(9)},
	}
	if got := deployed(change, "web", runs); got.By != "ada" {
		t.Errorf("got %+v", got)
	}
	if got := deployed(change, "db", runs); got != change {
		t.Errorf("one that told another time: %+v", got)
	}
}
