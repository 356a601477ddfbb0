package lifecycle_test

import (
	"context"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"zr/internal/api/apitest"
	"zr/internal/api/environments"
	"zr/internal/api/lifecycle"
	"zr/internal/api/store/postgres"
	"zr/pkg/deploy/kubetest"
)

// A control room changes what is in the namespaces that it was given rights on, from
// the moment that it is given them to the moment that they are taken back.
func TestAControlRoomChangesWhatItWasGivenRightsOn(t *testing.T) {
	e := newEnvironment(t) // its namespace is the project's
	e.PlayKubelet()
	e.deploy("web", 1, "")
	e.discovers()
	served := environments.Granted(environments.NewBindings(e.Kube, quiet), func(g environments.Grant) *environments.Environment {
		return &environments.Environment{Name: g.Namespace, Set: g.Set, Changes: lifecycle.New(e.Kube.In(g.Namespace))}
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { served.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	e.serve(served)

	const path = "/api/v1/services/web/scale?environment="
	scale := func(environment string) apitest.Response {
		return e.Send("POST", path+environment, `{"replicas":2}`)
	}
	if got := scale(e.Name); got.Status != 404 {
		t.Fatalf("before any rights: got %d %s", got.Status, got.Body)
	}
	bindings := e.Client("rbac.authorization.k8s.io", "v1", "rolebindings")
	labelled := []byte(`{"metadata":{"labels":{"zr.dev/environment":"shop-dev"}}}`)
	if _, err := bindings.Patch(t.Context(), "api", types.MergePatchType, labelled, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	e.until(func() bool { return len(served.List()) == 1 })
	if got := effect(t, scale(e.Name)); got.Replicas != 2 || got.Ready != 2 {
		t.Errorf("scaled: %+v", got)
	}
	if got := scale("kube-system"); got.Status != 404 || got.Problem(t) != "not_found" {
		t.Errorf("another namespace: got %d %s", got.Status, got.Body)
	}
	if served.List()[0].Set != "shop-dev" {
		t.Errorf("got %+v", served.List()[0])
	}
	records, err := e.DB.AuditLog(t.Context(), postgres.AuditFilter{Target: e.Name + "/web"}, 0, 10)
	if err != nil || len(records) != 1 {
		t.Errorf("recorded: %+v, %v", records, err)
	}
	if err := bindings.Delete(t.Context(), "api", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	e.until(func() bool { return len(served.List()) == 0 })
	if got := scale(e.Name); got.Status != 404 {
		t.Errorf("after the rights: got %d %s", got.Status, got.Body)
	}
}

// discovers lets the api see which rights there are, in every namespace.
func (e *environment) discovers() {
	e.T.Helper()
	const group = "rbac.authorization.k8s.io"
	roles, bindings := kubetest.Client(e.T, e.Cfg, group, "v1", "clusterroles"), kubetest.Client(e.T, e.Cfg, group, "v1", "clusterrolebindings")
	e.Create(roles, "{apiVersion: "+group+"/v1, kind: ClusterRole, metadata: {name: "+e.Name+"}, rules: [{apiGroups: ["+group+"], resources: [rolebindings], verbs: [list, watch]}]}")
	e.Create(bindings, "{apiVersion: "+group+"/v1, kind: ClusterRoleBinding, metadata: {name: "+e.Name+"}, roleRef: {apiGroup: "+group+", kind: ClusterRole, name: "+e.Name+
		"}, subjects: [{kind: ServiceAccount, name: api, namespace: "+e.Name+"}]}")
	e.T.Cleanup(func() {
		for _, made := range []dynamic.ResourceInterface{roles, bindings} {
			_ = made.Delete(context.WithoutCancel(e.T.Context()), e.Name, metav1.DeleteOptions{})
		}
	})
}

// until waits until something is so.
func (e *environment) until(so func() bool) {
	e.T.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.T.Fatal("it does not come to be so")
		}
	}
}
