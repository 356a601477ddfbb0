package configuration_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	routes "zr/internal/api/routes/configuration"
	"zr/internal/api/store/postgres"
	"zr/pkg/devattach"
)

// While a zr dev is attached, a change and the way back are written by it into the file,
// and the api says so. Once it has gone, they are written into the cluster.
func TestChangeSettingsOfAnAttachedDev200(t *testing.T) {
	var told []devattach.Settings
	a := newAttached(t, func(_ context.Context, a *attached, asked devattach.Settings) (any, error) {
		told = append(told, asked)
		written, err := a.take(asked)
		if err == nil {
			a.apply(asked.Settings)
		}
		return written, err
	})
	written := decode[routes.SettingsWritten](t, a.put(a.etag(), changed, "to see more"))
	if written.File != "config/dev.yaml" || written.Revision == 0 || written.ETag == "" || list(written.Rolls...) != "Deployment/api" {
		t.Errorf("written is %+v", written)
	}
	if got, want := a.says(), strings.Replace(file, "info # for all", "debug # for all", 1); got != want {
		t.Errorf("the file says\n%s", got)
	}
	if held, source := a.held(); held["LOG_LEVEL"] != "debug" || source != "config/dev.yaml" {
		t.Errorf("held are %v from %q", held, source)
	}
	if len(told) != 1 || told[0].Revision != written.Revision || told[0].Author != "ada" || told[0].Reason != "to see more" || told[0].Before["LOG_LEVEL"] != "info" || told[0].Source != "config/dev.yaml" {
		t.Errorf("the zr dev was told %+v", told)
	}
	all := decode[routes.SettingsRevisions](t, a.of(path+"/revisions")).Revisions
	if len(all) != 2 || all[0].File != "config/dev.yaml" || all[0].Outcome != postgres.Written || all[1].File != "" {
		t.Fatalf("revisions are %+v", all)
	}
	a.recorded(postgres.Done, "by zr dev in config/dev.yaml: LOG_LEVEL")

	back := decode[routes.SettingsWritten](t, a.Send(http.MethodPost, path+"/revisions/"+itoa(all[1].Revision)+"/restore",
		body(map[string]any{"reason": "too much"}), append([]string{"If-Match", a.etag()}, a.page...)...))
	if back.File != "config/dev.yaml" || a.says() != file {
		t.Errorf("gone back: %+v, the file says\n%s", back, a.says())
	}

	a.attachment.Close()
	a.await(0)
	alone := decode[routes.SettingsWritten](t, a.put(a.etag(), changed, "without it"))
	if _, source := a.held(); alone.File != "" || !strings.HasPrefix(source, "revision "+itoa(alone.Revision)+" by ada") || a.says() != file {
		t.Errorf("without a zr dev: %+v from %q", alone, source)
	}
}
