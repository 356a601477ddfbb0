package configuration_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"zr/internal/api/access"
	"zr/internal/api/apitest"
	"zr/internal/api/apitest/clustertest"
	"zr/internal/api/configuration"
	"zr/internal/api/contract"
	"zr/internal/api/dev"
	"zr/internal/api/environments"
	routes "zr/internal/api/routes/configuration"
	"zr/pkg/deploy/kubetest"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

var quiet = slog.New(slog.DiscardHandler)

const path = "/api/v1/configuration"

// environment is a namespace of a real API server with settings, secrets and two
// services, and an api with the rights of kustomize/base/api/role.yaml in it.
type environment struct {
	*apitest.App
	*clustertest.Namespace
	page []string // what requests have that are of a session
}

func newEnvironment(t *testing.T) *environment {
	t.Helper()
	e := &environment{Namespace: clustertest.New(t)}
	shared, store := e.Stores()
	gate := access.New("", shared, store, quiet)
	served := environments.Only(&environments.Environment{Own: true, Configuration: configuration.New(e.Kube, store, dev.NewHub(nil, quiet), "", quiet)})
	e.App = apitest.Serve(t, func(a *contract.API) { routes.Add(a, served, gate, shared, quiet) })
	return e
}

// populate makes what `zr up` would have made.
func (e *environment) populate() {
	e.T.Helper()
	e.Create(e.Client("", "v1", "configmaps"), `{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, annotations: {zr.dev/source: config/dev.yaml}}, data: {LOG_LEVEL: info, SIZE: "1", NOBODY: reads}}`)
	e.Create(e.Client("", "v1", "secrets"), `{apiVersion: v1, kind: Secret, metadata: {name: secrets, labels: {applyset.kubernetes.io/part-of: ours}, annotations: {zr.dev/source: config/secrets/dev.env}}, stringData: {PASSWORD: planted-value, KEY: planted-key}}`)
	e.deploy("api", `[{name: LOG_LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: LOG_LEVEL}}}, {name: KEY, valueFrom: {secretKeyRef: {name: secrets, key: KEY}}}]`, "")
	e.deploy("db", `[{name: SIZE, valueFrom: {configMapKeyRef: {name: settings, key: SIZE}}}, {name: P, valueFrom: {secretKeyRef: {name: secrets, key: PASSWORD}}}]`,
		`, volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]`)
}

// deploy makes a Deployment whose pods no node takes.
func (e *environment) deploy(name, env, more string) {
	e.T.Helper()
	e.Create(e.Client("apps", "v1", "deployments"), fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: %[1]s},
		spec: {replicas: 1, selector: {matchLabels: {app: %[1]s}}, template: {metadata: {labels: {app: %[1]s}},
		spec: {schedulerName: nobody, terminationGracePeriodSeconds: 0, containers: [{name: main, image: "none:1", env: %[2]s}]%[3]s}}}}`, name, env, more))
}

// get reads an object with all rights.
func (e *environment) get(group, resource, name string) *unstructured.Unstructured {
	e.T.Helper()
	found, err := e.Client(group, "v1", resource).Get(e.T.Context(), name, metav1.GetOptions{})
	if err != nil {
		e.T.Fatal(err)
	}
	return found
}

// held are the settings that the cluster has, and where they are from.
func (e *environment) held() (map[string]string, string) {
	e.T.Helper()
	found := e.get("", "configmaps", "settings")
	data, _, _ := unstructured.NestedStringMap(found.Object, "data")
	return data, found.GetAnnotations()["zr.dev/source"]
}

// generation counts the changes of what a Deployment is to be.
func (e *environment) generation(name string) int64 {
	return e.get("apps", "deployments", name).GetGeneration()
}

// etag is that of the settings now.
func (e *environment) etag() string {
	e.T.Helper()
	got := e.Request(http.MethodGet, path, e.page...)
	if got.Status != http.StatusOK || got.Header.Get("ETag") == "" {
		e.T.Fatalf("reading the settings: %d %s", got.Status, got.Body)
	}
	return got.Header.Get("ETag")
}

// put changes the settings.
func (e *environment) put(etag, text, reason string, headers ...string) apitest.Response {
	e.T.Helper()
	return e.Send(http.MethodPut, path, body(map[string]any{"text": text, "reason": reason}), slices.Concat([]string{"If-Match", etag}, e.page, headers)...)
}

func body(of map[string]any) string {
	raw, err := json.Marshal(of)
	if err != nil {
		panic(err) // it is made of texts
	}
	return string(raw)
}

// decode decodes an answer with status 200.
func decode[T any](t testing.TB, got apitest.Response) (out T) {
	t.Helper()
	if got.Status != http.StatusOK {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	got.Decode(t, &out)
	return out
}

// change changes an object as somebody else does.
func (e *environment) change(resource, name, patch string) {
	e.T.Helper()
	if _, err := e.Client("", "v1", resource).Patch(e.T.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		e.T.Fatal(err)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func list(items ...string) string { return strings.Join(items, " ") }
