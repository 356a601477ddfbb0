package deploy_test

import (
	"encoding/base64"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"zr/pkg/deploy"
	"zr/pkg/podconfig"
)

// changed changes settings or secrets as the dashboard does.
func (r *run) changed(resource, name, patch string) {
	r.T.Helper()
	if _, err := r.admin.at(resource, r.Namespace).Patch(r.T.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "zr-api"}); err != nil {
		r.T.Fatal(err)
	}
}

// settings is what the cluster has of them.
func (r *run) settings() deploy.Content {
	r.T.Helper()
	content, err := r.deployer().Settings(r.T.Context())
	if err != nil {
		r.T.Fatal(err)
	}
	return content
}

// Settings that were changed in the cluster are told with what changed them, and an
// apply puts them back as a whole: also what was added, and what was removed.
func TestChangedSettingsDivergeAndArePutBack(t *testing.T) {
	r := newRun(t)
	r.Options.SettingsSource = "config/dev.yaml"
	r.up()
	if cs := r.diff(); !cs.Empty() || len(cs.Diverged) > 0 {
		t.Fatalf("unchanged settings: %v, %+v", actions(cs), cs.Diverged)
	}
	source := podconfig.RevisionSource(7, "ada", "more colour")
	r.changed("configmaps", "settings", `{"metadata":{"annotations":{"zr.dev/source":"`+source+`"}},"data":{"COLOUR":"red","SIZE":null,"EXTRA":"1"}}`)
	r.changed("deployments", "web", `{"spec":{"template":{"metadata":{"annotations":{"zr.dev/settings-hash":"another"}}}}}`)
	cs := r.diff()
	if len(cs.Diverged) != 1 {
		t.Fatalf("diverged are %+v", cs.Diverged)
	}
	d := cs.Diverged[0]
	if d.Source != source || d.File != "config/dev.yaml" || d.Kind != "ConfigMap" || d.Name != "settings" {
		t.Errorf("got %+v", d)
	}
	got := map[string]deploy.FieldChange{}
	for _, f := range d.Fields {
		got[f.Path] = f
	}
	if got[".data.COLOUR"].Old != "red" || got[".data.COLOUR"].New != "blue" || got[".data.EXTRA"].Old != "1" || got[".data.EXTRA"].New != nil || got[".data.SIZE"].Old != nil || len(got) != 3 {
		t.Errorf("got %+v", d.Fields)
	}
	if held := r.settings(); held.Source != source || held.Values["COLOUR"] != "red" || held.Values["EXTRA"] != "1" {
		t.Errorf("held are %+v", held)
	}
	r.up()
	held := r.settings()
	if _, extra := held.Values["EXTRA"]; extra || held.Values["COLOUR"] != "blue" || held.Values["SIZE"] == "" || held.Source != "config/dev.yaml" {
		t.Errorf("after an apply held are %+v", held)
	}
	if cs := r.diff(); !cs.Empty() || len(cs.Diverged) > 0 {
		t.Errorf("after an apply: %v, %+v", actions(cs), cs.Diverged)
	}
}

// What the project's files have taken over has not diverged, rolls nothing, and is
// theirs from then on: also an entry that the cluster had first.
func TestSettingsThatWereTakenOverRollNothing(t *testing.T) {
	r := newRun(t)
	r.Options.SettingsSource = "config/dev.yaml"
	r.up()
	next := map[string]string{"COLOUR": "red", "EXTRA": "1"}
	for key, value := range r.Options.Settings {
		if _, there := next[key]; !there {
			next[key] = value
		}
	}
	hash := ""
	for _, o := range r.Render().Objects {
		if o.GetKind() == "Deployment" && o.GetName() == "web" {
			template, _ := o.Object["spec"].(map[string]any)["template"].(map[string]any)
			hash = podconfig.SettingsHash(template, next)
		}
	}
	if hash == "" {
		t.Fatal("web reads no settings")
	}
	r.changed("configmaps", "settings", `{"metadata":{"annotations":{"zr.dev/source":"`+podconfig.RevisionSource(7, "ada", "")+`"}},"data":{"COLOUR":"red","EXTRA":"1"}}`)
	r.changed("deployments", "web", `{"spec":{"template":{"metadata":{"annotations":{"zr.dev/settings-hash":"`+hash+`"}}}}}`)
	r.Options.Settings = next
	cs := r.up()
	expectActions(t, cs, map[string]deploy.Action{"ConfigMap/settings": deploy.Configured})
	if len(cs.Diverged) > 0 || len(cs.Warnings) > 0 {
		t.Errorf("diverged are %+v, said is %q", cs.Diverged, cs.Warnings)
	}
	if cs := r.diff(); !cs.Empty() {
		t.Errorf("afterwards: %v", actions(cs))
	}
	delete(r.Options.Settings, "EXTRA")
	r.up()
	if held := r.settings(); held.Values["EXTRA"] != "" {
		t.Errorf("an entry that the file dropped stays: %+v", held)
	}
}

// A secret that was set in the cluster is told without its value.
func TestChangedSecretsDivergeWithoutTheirValues(t *testing.T) {
	r := newRun(t)
	r.Options.SecretsSource = "config/secrets/dev.env"
	r.up()
	r.changed("secrets", "secrets", `{"metadata":{"annotations":{"zr.dev/source":"ada"}},"data":{"PASSWORD":"`+base64.StdEncoding.EncodeToString([]byte("planted-value"))+`"}}`)
	cs, err := r.deployer().Diff(t.Context(), r.Render())
	if err != nil {
		t.Fatal(err)
	}
	if len(cs.Diverged) != 1 || len(cs.Diverged[0].Fields) != 1 || cs.Diverged[0].Fields[0].Old != "(secret)" || cs.Diverged[0].Fields[0].New != "(secret)" {
		t.Errorf("diverged are %+v", cs.Diverged)
	}
	held, err := r.deployer().Secrets(t.Context())
	if err != nil || held.Values["PASSWORD"] != "planted-value" || held.Source != "ada" {
		t.Errorf("held are %+v, %v", held.Source, err)
	}
	r.up()
	if held, err := r.deployer().Secrets(t.Context()); err != nil || held.Values["PASSWORD"] != r.Options.Secrets["PASSWORD"] || held.Source != "config/secrets/dev.env" {
		t.Errorf("after an apply held are from %q, %v", held.Source, err)
	}
}
