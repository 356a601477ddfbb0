package configuration_test

import (
	"testing"
	"time"

	routes "zr/internal/api/routes/configuration"
)

// Without PostgreSQL nothing is changed, since it could not be gone back from; settings
// are read all the same. What was accepted before is there when it comes back.
func TestChangeSettings503(t *testing.T) {
	e := newEnvironment(t)
	e.populate()
	e.PlayKubelet()
	accepted := decode[routes.SettingsWritten](t, e.put(e.etag(), changed, "before"))
	e.Postgres.Stop()
	const next = "LOG_LEVEL: error\nSIZE: '1'\nNOBODY: reads\n"
	if got := e.put(e.etag(), next, "meanwhile"); got.Status != 503 || got.Problem(t) != "database_unavailable" {
		t.Errorf("a change: got %d %s", got.Status, got.Body)
	}
	if got := e.Get(path + "/revisions"); got.Status != 503 || got.Problem(t) != "database_unavailable" {
		t.Errorf("revisions: got %d %s", got.Status, got.Body)
	}
	if held, _ := e.held(); held["LOG_LEVEL"] != "debug" {
		t.Errorf("held are %v", held)
	}
	e.Postgres.Start()
	for deadline := time.Now().Add(2 * time.Minute); e.DB.Check(t.Context()) != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("PostgreSQL does not come back")
		}
	}
	decode[routes.SettingsWritten](t, e.put(e.etag(), next, "afterwards"))
	all := decode[routes.SettingsRevisions](t, e.Get(path+"/revisions"))
	if len(all.Revisions) != 3 || all.Revisions[1].Revision != accepted.Revision || all.Revisions[0].Reason != "afterwards" {
		t.Errorf("revisions are %+v", all)
	}
}
