package configuration_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	routes "zr/internal/api/routes/configuration"
	"zr/internal/api/store/postgres"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// Secrets are told by name, age and use, and set; no answer has a value.
func TestSecretsAreSetAndNeverRead(t *testing.T) {
	e := newEnvironment(t)
	e.populate()
	e.PlayKubelet()
	e.deploy("web", `[{name: A, valueFrom: {secretKeyRef: {name: others, key: B}}}]`, "")
	got := e.Get(path + "/secrets")
	all := decode[routes.Secrets](t, got)
	if len(all.Secrets) != 2 || all.Secrets[0].Name != "secrets" || !all.Secrets[0].Settable || all.Secrets[0].CreatedAt == nil || all.Secrets[0].ChangedAt == nil || all.Secrets[0].Source != "config/secrets/dev.env" {
		t.Fatalf("got %+v", all)
	}
	keys := all.Secrets[0].Keys
	if len(keys) != 2 || keys[0].Name != "KEY" || list(keys[0].Used...) != "Deployment/api" || keys[1].Name != "PASSWORD" || list(keys[1].Used...) != "Deployment/db" {
		t.Errorf("keys are %+v", keys)
	}
	if other := all.Secrets[1]; other.Name != "others" || other.Settable || other.CreatedAt != nil || other.Keys[0].Name != "B" {
		t.Errorf("the other one is %+v", other)
	}
	set := e.Send(http.MethodPut, path+"/secrets/KEY", body(map[string]any{"value": "planted-anew"}))
	if done := decode[routes.SecretSet](t, set); list(done.Rolls...) != "Deployment/api" {
		t.Errorf("got %+v", done)
	}
	data, _, _ := unstructured.NestedStringMap(e.get("", "secrets", "secrets").Object, "data")
	if plain, err := base64.StdEncoding.DecodeString(data["KEY"]); err != nil || string(plain) != "planted-anew" || data["PASSWORD"] != base64.StdEncoding.EncodeToString([]byte("planted-value")) {
		t.Errorf("held are %v, %v", data, err)
	}
	if e.generation("api") != 2 || e.generation("db") != 1 {
		t.Errorf("api has the generation %d, and db %d", e.generation("api"), e.generation("db"))
	}
	records, err := e.DB.AuditLog(t.Context(), postgres.AuditFilter{Target: "secrets/KEY"}, 0, 10)
	if err != nil || len(records) != 1 || records[0].Outcome != postgres.Done {
		t.Errorf("recorded: %+v, %v", records, err)
	}
	after := e.Get(path + "/secrets")
	for _, answer := range []string{got.Body, set.Body, after.Body, records[0].Detail} {
		for _, planted := range []string{"planted", base64.StdEncoding.EncodeToString([]byte("planted"))[:8]} {
			if strings.Contains(answer, planted) {
				t.Errorf("a value is told: %s", answer)
			}
		}
	}
}

// The rights of the api reach the named objects and no others, and reading a Secret is
// not among them.
func TestTheRightsEndAtTheNamedObjects(t *testing.T) {
	e := newEnvironment(t)
	e.populate()
	e.Create(e.Client("", "v1", "secrets"), `{apiVersion: v1, kind: Secret, metadata: {name: others}}`)
	e.Create(e.Client("", "v1", "configmaps"), `{apiVersion: v1, kind: ConfigMap, metadata: {name: others}}`)
	var into map[string]any
	for what, try := range map[string]func() error{
		"reading the Secret": func() error { return e.Kube.Read(t.Context(), object.Secrets, "secrets", &into) },
		"listing Secrets":    func() error { return e.Kube.Read(t.Context(), object.Secrets, "", &into) },
		"changing another Secret": func() error {
			return e.Kube.ChangeUnseen(t.Context(), object.Secrets, "others", map[string]any{}, false, &into)
		},
		"reading another ConfigMap": func() error { return e.Kube.Read(t.Context(), object.ConfigMaps, "others", &into) },
		"listing ConfigMaps":        func() error { return e.Kube.Read(t.Context(), object.ConfigMaps, "", &into) },
		"changing another ConfigMap": func() error {
			return e.Kube.Change(t.Context(), object.ConfigMaps, "others", map[string]any{}, false, &into)
		},
	} {
		if err := try(); !lean.HasCode(err, http.StatusForbidden) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
