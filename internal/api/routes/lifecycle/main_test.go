package lifecycle_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"zr/internal/api/access"
	"zr/internal/api/apitest"
	"zr/internal/api/apitest/clustertest"
	"zr/internal/api/contract"
	"zr/internal/api/environments"
	"zr/internal/api/lifecycle"
	routes "zr/internal/api/routes/lifecycle"
	"zr/pkg/deploy/kubetest"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

var quiet = slog.New(slog.DiscardHandler)

// environment is a namespace of a real API server, and an api with the rights of
// kustomize/base/api/role.yaml in it.
type environment struct {
	*apitest.App
	*clustertest.Namespace
}

func newEnvironment(t *testing.T) *environment {
	t.Helper()
	e := &environment{Namespace: clustertest.New(t)}
	e.serve(environments.Only(&environments.Environment{Own: true, Changes: lifecycle.New(e.Kube)}))
	return e
}

// serve serves the routes of these environments.
func (e *environment) serve(served *environments.Set) {
	e.T.Helper()
	shared, store := e.Stores()
	gate := access.New("", shared, store, quiet)
	e.App = apitest.Serve(e.T, func(a *contract.API) { routes.Add(a, served, gate, shared, quiet) })
}

// deploy makes a Deployment whose pods no node takes.
func (e *environment) deploy(name string, replicas int, dependsOn string) {
	e.T.Helper()
	e.Create(e.Client("apps", "v1", "deployments"), fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment,
		metadata: {name: %[1]s, annotations: {zr.dev/depends-on: "%[3]s"}},
		spec: {replicas: %[2]d, selector: {matchLabels: {app: %[1]s}}, template: {metadata: {labels: {app: %[1]s}},
		spec: {schedulerName: nobody, terminationGracePeriodSeconds: 0, containers: [{name: main, image: "none:1"}]}}}}`, name, replicas, dependsOn))
}

// post sends an action.
func (e *environment) post(path, body string, headers ...string) apitest.Response {
	e.T.Helper()
	return e.Send(http.MethodPost, "/api/v1/services/"+path, body, headers...)
}

// generation counts the changes of what a Deployment is to be.
func (e *environment) generation(name string) int64 {
	e.T.Helper()
	d, err := e.Client("apps", "v1", "deployments").Get(e.T.Context(), name, metav1.GetOptions{})
	if err != nil {
		e.T.Fatal(err)
	}
	return d.GetGeneration()
}

// annotation is one of a Deployment.
func (e *environment) annotation(name, key string) string {
	e.T.Helper()
	d, err := e.Client("apps", "v1", "deployments").Get(e.T.Context(), name, metav1.GetOptions{})
	if err != nil {
		e.T.Fatal(err)
	}
	return d.GetAnnotations()[key]
}
