package configuration_test

import (
	"testing"

	routes "zr/internal/api/routes/configuration"
	"zr/internal/api/store/postgres"
)

// A change of settings that somebody else has changed since is refused, and so is one
// that does not say of what it is a change.
func TestChangeSettings412(t *testing.T) {
	e := newEnvironment(t)
	e.populate()
	stale := e.etag()
	e.change("configmaps", "settings", `{"data":{"SIZE":"2"}}`)
	if got := e.put(stale, changed, "why"); got.Status != 412 || got.Problem(t) != "changed_meanwhile" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	if held, _ := e.held(); held["LOG_LEVEL"] != "info" || held["SIZE"] != "2" {
		t.Errorf("held are %v", held)
	}
	if all := decode[routes.SettingsRevisions](t, e.Get(path+"/revisions")); len(all.Revisions) != 0 {
		t.Errorf("revisions are %+v", all)
	}
	if records, err := e.DB.AuditLog(t.Context(), postgres.AuditFilter{Target: "settings", Outcome: postgres.Refused}, 0, 10); err != nil || len(records) != 1 {
		t.Errorf("recorded: %+v, %v", records, err)
	}
	for _, none := range []string{"", "*", "unquoted"} {
		if got := e.put(none, changed, "why"); got.Status != 428 || got.Problem(t) != "if_match_required" {
			t.Errorf("If-Match %q: got %d %s", none, got.Status, got.Body)
		}
	}
}
