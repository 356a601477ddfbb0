package lastchange

import (
	"testing"
	"time"

	"zr/internal/api/fleet"
	"zr/internal/api/kube"
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

// Who is named has done the very act whose key the workload has.
func TestActed(t *testing.T) {
	key := kube.Key{7}
	act := func(of kube.Key, second int, actor, action string) postgres.AuditRecord {
		return postgres.AuditRecord{Key: of, At: at(second), Actor: actor, Action: action, Target: "web"}
	}
	change := Change{At: at(10), What: Changed, With: byAPI}
	for _, tc := range []struct {
		name     string
		acts     []postgres.AuditRecord
		what, by string
	}{
		{"it", []postgres.AuditRecord{act(key, 12, "ada", "restartService")}, Restarted, "ada"},
		{"it, in the same second", []postgres.AuditRecord{act(key, 10, "ada", "scaleService")}, Scaled, "ada"},
		{"it, long after", []postgres.AuditRecord{act(key, 59, "ada", "setSecret")}, Configured, "ada"},
		{"another one", []postgres.AuditRecord{act(kube.Key{8}, 12, "bob", "restartService")}, Changed, ""},
		{"it and another one", []postgres.AuditRecord{act(kube.Key{8}, 12, "bob", "restartService"), act(key, 13, "ada", "stopService")}, Stopped, "ada"},
		{"one of before", []postgres.AuditRecord{act(key, 9, "ada", "restartService")}, Changed, ""},
		{"one that changes no workload", []postgres.AuditRecord{act(key, 12, "ada", "rebuildService")}, Changed, ""},
		{"none", nil, Changed, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := acted(change, fleet.Write{Act: key}, tc.acts); got != (Change{change.At, tc.what, tc.by, byAPI, ""}) {
				t.Errorf("got %+v", got)
			}
		})
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
