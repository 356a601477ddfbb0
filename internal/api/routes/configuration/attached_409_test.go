package configuration_test

import (
	"context"
	"strings"
	"testing"

	routes "zr/internal/api/routes/configuration"
	"zr/internal/api/store/postgres"
	"zr/pkg/devattach"
)

// A file that says something else than the cluster is not written over, and neither the
// cluster nor the revisions have the change.
func TestChangeSettingsOfAnAttachedDev409(t *testing.T) {
	a := newAttached(t, func(_ context.Context, a *attached, asked devattach.Settings) (any, error) { return a.take(asked) })
	saved := strings.Replace(file, "SIZE: \"1\"", "SIZE: \"2\"", 1)
	write(t, a.project.File, saved)
	got := a.put(a.etag(), changed, "why")
	if got.Status != 409 || got.Problem(t) != "conflict" || !strings.Contains(got.Body, "config/dev.yaml has something else for SIZE") {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	if held, _ := a.held(); held["LOG_LEVEL"] != "info" || a.says() != saved {
		t.Errorf("held are %v, the file says\n%s", held, a.says())
	}
	if all := decode[routes.SettingsRevisions](t, a.of(path+"/revisions")).Revisions; len(all) != 1 || all[0].Author != "zr" {
		t.Errorf("revisions are %+v", all)
	}
	a.recorded(postgres.Refused, "config/dev.yaml has something else")
}
