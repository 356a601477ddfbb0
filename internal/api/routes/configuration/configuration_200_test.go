package configuration_test

import (
	"maps"
	"strings"
	"testing"

	routes "zr/internal/api/routes/configuration"
	"zr/internal/api/store/postgres"
)

const changed = "LOG_LEVEL: debug\nSIZE: '1'\nNOBODY: reads\n"

// A change is previewed, written as a revision, rolls exactly who reads it, and is gone
// back from.
func TestSettingsAreChangedAndGoneBackTo(t *testing.T) {
	e := newEnvironment(t)
	e.populate()
	e.PlayKubelet()
	now := decode[routes.Settings](t, e.Get(path))
	if now.Source != "config/dev.yaml" || now.Revision != 0 || now.Text != "LOG_LEVEL: info\nNOBODY: reads\nSIZE: \"1\"\n" || len(now.Settings) != 3 || list(now.Settings[0].Used...) != "Deployment/api" || len(now.Settings[1].Used) != 0 {
		t.Fatalf("got %+v", now)
	}

	preview := decode[routes.SettingsPreview](t, e.Send("POST", path+"/preview", body(map[string]any{"text": changed})))
	if preview.ETag != now.ETag || preview.ETag != e.etag() || preview.Text != "LOG_LEVEL: debug\nNOBODY: reads\nSIZE: \"1\"\n" || len(preview.Settings) != 3 || preview.Settings[0] != (routes.SettingValue{Key: "LOG_LEVEL", Value: "debug"}) {
		t.Errorf("the preview has read %+v", preview)
	}
	if len(preview.Changes) != 1 || preview.Changes[0].Key != "LOG_LEVEL" || *preview.Changes[0].Old != "info" || *preview.Changes[0].New != "debug" || list(preview.Rolls...) != "Deployment/api" {
		t.Errorf("the preview is %+v", preview)
	}
	if held, source := e.held(); held["LOG_LEVEL"] != "info" || source != "config/dev.yaml" || e.generation("api") != 1 {
		t.Errorf("a preview has written: %v from %q", held, source)
	}

	written := decode[routes.SettingsWritten](t, e.put(e.etag(), changed, "to see more"))
	if written.Revision == 0 || list(written.Rolls...) != "Deployment/api" || written.ETag == "" {
		t.Errorf("written is %+v", written)
	}
	held, source := e.held()
	if held["LOG_LEVEL"] != "debug" || !strings.HasPrefix(source, "revision ") || !strings.HasSuffix(source, ": to see more") {
		t.Errorf("held are %v from %q", held, source)
	}
	if api, db := e.generation("api"), e.generation("db"); api != 2 || db != 1 {
		t.Errorf("api has the generation %d, and db %d", api, db)
	}
	if now := decode[routes.Settings](t, e.Get(path)); now.Revision != written.Revision || len(now.Behind) > 0 {
		t.Errorf("afterwards: %+v", now)
	}

	all := decode[routes.SettingsRevisions](t, e.Get(path+"/revisions"))
	if len(all.Revisions) != 2 || all.Revisions[0].Reason != "to see more" || all.Revisions[0].Outcome != postgres.Written || all.Revisions[1].Author != "zr" || all.Revisions[1].Reason != "config/dev.yaml" {
		t.Fatalf("revisions are %+v", all)
	}
	first := path + "/revisions/" + itoa(all.Revisions[1].Revision)
	if one := decode[routes.WholeRevision](t, e.Get(first)); one.Text != now.Text || len(one.Changes) != 1 || *one.Changes[0].New != "info" {
		t.Errorf("the revision is %+v", one)
	}
	told := path + "/revisions/" + itoa(all.Revisions[0].Revision) + "?against=" + itoa(all.Revisions[1].Revision)
	if one := decode[routes.WholeRevision](t, e.Get(told)); len(one.Changes) != 1 || *one.Changes[0].Old != "info" || *one.Changes[0].New != "debug" {
		t.Errorf("compared with the one before, the revision is %+v", one)
	}
	back := decode[routes.SettingsWritten](t, e.Send("POST", first+"/restore", body(map[string]any{"reason": "too much"}), "If-Match", e.etag()))
	if held, _ := e.held(); held["LOG_LEVEL"] != "info" || list(back.Rolls...) != "Deployment/api" {
		t.Errorf("gone back: %v, %+v", held, back)
	}
	if latest := decode[routes.SettingsRevisions](t, e.Get(path+"/revisions?limit=1")); len(latest.Revisions) != 1 || latest.Revisions[0].Restores != all.Revisions[1].Revision || latest.Next == "" {
		t.Errorf("the latest is %+v", latest)
	}
	records, err := e.DB.AuditLog(t.Context(), postgres.AuditFilter{Target: "settings"}, 0, 10)
	if err != nil || len(records) != 2 || records[1].Outcome != postgres.Done || !strings.HasSuffix(records[1].Detail, ": LOG_LEVEL") {
		t.Errorf("recorded: %+v, %v", records, err)
	}
}

// The same request under the same key is one revision.
func TestAChangeIsMadeOnceForItsKey(t *testing.T) {
	e := newEnvironment(t)
	e.populate()
	e.PlayKubelet()
	etag := e.etag()
	first := decode[routes.SettingsWritten](t, e.put(etag, changed, "why", "Idempotency-Key", "one"))
	again := decode[routes.SettingsWritten](t, e.put(etag, changed, "why", "Idempotency-Key", "one"))
	if again.Revision != first.Revision || again.ETag != first.ETag {
		t.Errorf("got %+v, then %+v", first, again)
	}
	if all := decode[routes.SettingsRevisions](t, e.Get(path+"/revisions")); len(all.Revisions) != 2 {
		t.Errorf("revisions are %+v", all)
	}
}

// An api that is killed after the change is written, and before anything follows it,
// leaves a revision, and the same settings written again roll who is behind.
func TestAHalfMadeChangeIsCompleted(t *testing.T) {
	e := newEnvironment(t)
	e.populate()
	e.PlayKubelet()
	decode[routes.SettingsWritten](t, e.put(e.etag(), changed, "whole")) // so that the pods have hashes
	begun, err := e.DB.AddRevision(t.Context(), "", postgres.Revision{Author: "ada", Reason: "half", Settings: map[string]string{"LOG_LEVEL": "error", "SIZE": "1", "NOBODY": "reads"}, Outcome: postgres.Begun})
	if err != nil {
		t.Fatal(err)
	}
	e.change("configmaps", "settings", `{"metadata":{"annotations":{"zr.dev/source":"revision `+itoa(begun.ID)+` by ada: half"}},"data":{"LOG_LEVEL":"error"}}`)
	now := decode[routes.Settings](t, e.Get(path))
	if now.Revision != begun.ID || list(now.Behind...) != "Deployment/api" {
		t.Fatalf("got %+v", now)
	}
	written := decode[routes.SettingsWritten](t, e.put(e.etag(), now.Text, "the rest"))
	if list(written.Rolls...) != "Deployment/api" || len(written.Changes) != 0 {
		t.Errorf("written is %+v", written)
	}
	noted, err := e.DB.FindRevision(t.Context(), "", begun.ID)
	if err != nil || noted.Outcome != postgres.Written || !maps.Equal(noted.Settings, map[string]string{"LOG_LEVEL": "error", "SIZE": "1", "NOBODY": "reads"}) {
		t.Errorf("the revision is %+v, %v", noted, err)
	}
}

func TestSettingsSchema200(t *testing.T) {
	e := newEnvironment(t)
	if schema := decode[map[string]any](t, e.Get(path+"/schema")); schema["additionalProperties"] == nil || schema["description"] == nil {
		t.Errorf("got %v", schema)
	}
}
