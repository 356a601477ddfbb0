package configuration_test

import (
	"context"
	"strings"
	"testing"

	"zr/internal/api/apitest"
	routes "zr/internal/api/routes/configuration"
	"zr/internal/api/store/postgres"
	"zr/pkg/devattach"
)

// failed checks the answer to a change that an attached zr dev did not make, and the
// outcome that its revision has.
func (a *attached) failed(got apitest.Response, outcome string, says ...string) {
	a.T.Helper()
	if got.Status != 502 || got.Problem(a.T) != "dev_failed" {
		a.T.Errorf("got %d %s", got.Status, got.Body)
	}
	for _, text := range says {
		if !strings.Contains(got.Body, text) {
			a.T.Errorf("got %s, want %q", got.Body, text)
		}
	}
	all := decode[routes.SettingsRevisions](a.T, a.of(path+"/revisions")).Revisions
	if len(all) != 2 || all[0].Outcome != outcome || all[0].File != "config/dev.yaml" {
		a.T.Errorf("revisions are %+v", all)
	}
	a.recorded(postgres.Failed, says...)
}

// A change whose apply is refused is in the file and not in the cluster. When it gets
// there all the same, the next change notes it.
func TestChangeSettingsThatAreNotApplied502(t *testing.T) {
	refuses := true
	a := newAttached(t, func(_ context.Context, a *attached, asked devattach.Settings) (any, error) {
		written, err := a.take(asked)
		if refuses {
			written.Failed = "no such image"
		} else {
			a.apply(asked.Settings)
		}
		return written, err
	})
	a.failed(a.put(a.etag(), changed, "why"), postgres.Begun, "config/dev.yaml is written, and the cluster does not have these settings now: no such image")
	if held, _ := a.held(); held["LOG_LEVEL"] != "info" || !strings.Contains(a.says(), "debug # for all") {
		t.Errorf("held are %v, the file says\n%s", held, a.says())
	}
	refuses = false
	a.apply(map[string]string{"LOG_LEVEL": "debug"})
	decode[routes.SettingsWritten](t, a.put(a.etag(), strings.Replace(changed, "debug", "error", 1), "more"))
	if all := decode[routes.SettingsRevisions](t, a.of(path+"/revisions")).Revisions; len(all) != 3 || all[0].Outcome != postgres.Written || all[1].Outcome != postgres.Written || all[1].Reason != "why" {
		t.Errorf("revisions are %+v", all)
	}
}

// A change that is applied and does not get healthy is in both.
func TestChangeSettingsThatAreNotHealthy502(t *testing.T) {
	a := newAttached(t, func(_ context.Context, a *attached, asked devattach.Settings) (any, error) {
		written, err := a.take(asked)
		a.apply(asked.Settings)
		written.Failed = "api is not healthy"
		return written, err
	})
	a.failed(a.put(a.etag(), changed, "why"), postgres.Written, "config/dev.yaml is written, and the cluster has these settings: api is not healthy")
}

// A zr dev that says that it has applied what the cluster does not have is not believed.
func TestChangeSettingsThatAreNotThere502(t *testing.T) {
	a := newAttached(t, func(_ context.Context, a *attached, asked devattach.Settings) (any, error) { return a.take(asked) })
	a.failed(a.put(a.etag(), changed, "why"), postgres.Begun, "config/dev.yaml is written, and the cluster does not have these settings now")
}

// Of a zr dev that goes before it has answered it is not known what it did.
func TestChangeSettingsOfADevThatGoes502(t *testing.T) {
	a := newAttached(t, func(ctx context.Context, a *attached, _ devattach.Settings) (any, error) {
		go a.attachment.Close()
		<-ctx.Done()
		return nil, ctx.Err()
	})
	a.failed(a.put(a.etag(), changed, "why"), postgres.Begun, "whether config/dev.yaml is written is not known, and the cluster does not have these settings now")
}
