package configuration_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zr/internal/api/apitest"
	"zr/internal/api/apitest/clustertest"
	devroutes "zr/internal/api/routes/dev"
	"zr/pkg/apiclient"
	"zr/pkg/config"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/devattach"
	"zr/pkg/devattach/attachment"
)

// file is what config/dev.yaml of a project says.
const file = "project: shop\nservices: {api: {}}\nsettings:\n  LOG_LEVEL: info # for all\n  SIZE: \"1\"\n  NOBODY: reads\n"

// attached is a whole api on a namespace of a real API server, to which zr's end of the
// channel is attached, with a project.
type attached struct {
	*environment
	attachment *attachment.Attachment
	project    *config.Config
}

// newAttached has the run that is attached answer with what do says.
func newAttached(t *testing.T, do func(ctx context.Context, a *attached, asked devattach.Settings) (any, error)) *attached {
	t.Helper()
	e := &environment{Namespace: clustertest.In(t, kubetest.Config(t))}
	e.populate()
	e.PlayKubelet()
	env := apitest.WithServers(t)
	maps.Copy(env, e.Mount())
	e.App = apitest.Run(t, env)
	e.page = e.LogIn("operator")

	root := t.TempDir()
	write(t, filepath.Join(root, "config/dev.yaml"), file)
	write(t, filepath.Join(root, "kustomize/overlays/dev/kustomization.yaml"), "resources: []\n")
	project, err := config.Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	a := &attached{environment: e, project: project, attachment: attachment.New(devattach.Hello{Run: "one", Verb: devattach.Dev})}
	a.attachment.Serve(map[devattach.Action]attachment.Do{devattach.Configure: func(ctx context.Context, argument json.RawMessage) (any, error) {
		var asked devattach.Settings
		if err := json.Unmarshal(argument, &asked); err != nil {
			return nil, err
		}
		return do(ctx, a, asked)
	}})
	t.Cleanup(a.attachment.Close)
	a.attachment.Found(apiclient.Address{Base: e.URL(), Key: apitest.LoginKey}, "")
	a.await(1)
	return a
}

// await waits until as many runs are attached.
func (a *attached) await(runs int) {
	a.T.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var there devroutes.AttachedRuns
		got := a.of("/api/v1/dev")
		if got.Decode(a.T, &there); got.Status == http.StatusOK && len(there.Attached) == runs {
			return
		}
		if time.Now().After(deadline) {
			a.T.Fatalf("%d are not attached: %s\n%s", runs, got.Body, a.Log)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// take writes the settings into the file.
func (a *attached) take(asked devattach.Settings) (devattach.SettingsWritten, error) {
	keys, err := a.project.ChangeSettings(asked.Before, asked.Settings)
	if err != nil {
		return devattach.SettingsWritten{}, &devattach.Failure{Code: devattach.Conflict, Text: err.Error()}
	}
	return devattach.SettingsWritten{File: a.project.Name(), Keys: keys}, nil
}

// apply has the cluster say what the file says.
func (a *attached) apply(settings map[string]string) {
	data, _ := json.Marshal(settings)
	a.change("configmaps", "settings", `{"metadata":{"annotations":{"zr.dev/source":"config/dev.yaml"}},"data":`+string(data)+`}`)
}

// says is what the file says now.
func (a *attached) says() string {
	a.T.Helper()
	text, err := os.ReadFile(a.project.File)
	if err != nil {
		a.T.Fatal(err)
	}
	return string(text)
}

// of asks the api, as the page does.
func (a *attached) of(below string) apitest.Response {
	a.T.Helper()
	return a.Request(http.MethodGet, below, a.page...)
}

// recorded are the changes of settings that the audit log has.
func (a *attached) recorded(outcome string, texts ...string) {
	a.T.Helper()
	log := a.of("/api/v1/activity?target=settings").Body
	for _, text := range append(texts, `"outcome":"`+outcome+`"`) {
		if !strings.Contains(log, text) {
			a.T.Errorf("the audit log has %s, want %s", log, text)
		}
	}
}
