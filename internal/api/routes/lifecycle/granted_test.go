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
	e.playKubelet()
	e.deploy("web", 1, "")
	e.discovers()
	served := environments.Granted(environments.NewBindings(e.kube, quiet), func(g environments.Grant) *environments.Environment {
		return &environments.Environment{Name: g.Namespace, Set: g.Set, Changes: lifecycle.New(e.kube.In(g.Namespace))}
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
	if got := scale(e.name); got.Status != 404 {
		t.Fatalf("before any rights: got %d %s", got.Status, got.Body)
	}
	bindings := e.client("rbac.authorization.k8s.io", "v1", "rolebindings")
	labelled := []byte(`{"metadata":{"labels":{"zr.dev/environment":"shop-dev"}}}`)
	if _, err := bindings.Patch(t.Context(), "api", types.MergePatchType, labelled, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	e.until(func() bool { return len(served.List()) == 1 })
	if got := effect(t, scale(e.name)); got.Replicas != 2 || got.Ready != 2 {
		t.Errorf("scaled: %+v", got)
	}
	if got := scale("kube-system"); got.Status != 404 || got.Problem(t) != "not_found" {
		t.Errorf("another namespace: got %d %s", got.Status, got.Body)
	}
	if served.List()[0].Set != "shop-dev" {
		t.Errorf("got %+v", served.List()[0])
	}
	records, err := e.db.AuditLog(t.Context(), postgres.AuditFilter{Target: e.name + "/web"}, 0, 10)
	if err != nil || len(records) != 1 {
		t.Errorf("recorded: %+v, %v", records, err)
	}
	if err := bindings.Delete(t.Context(), "api", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	e.until(func() bool { return len(served.List()) == 0 })
	if got := scale(e.name); got.Status != 404 {
		t.Errorf("after the rights: got %d %s", got.Status, got.Body)
	}
}

// discovers lets the api see which rights there are, in every namespace.
func (e *environment) discovers() {
	e.t.Helper()
	const group = "rbac.authorization.k8s.io"
	roles, bindings := kubetest.Client(e.t, e.cfg, group, "v1", "clusterroles"), kubetest.Client(e.t, e.cfg, group, "v1", "clusterrolebindings")
	e.create(roles, "{apiVersion: "+group+"/v1, kind: ClusterRole, metadata: {name: "+e.name+"}, rules: [{apiGroups: ["+group+"], resources: [rolebindings], verbs: [list, watch]}]}")
	e.create(bindings, "{apiVersion: "+group+"/v1, kind: ClusterRoleBinding, metadata: {name: "+e.name+"}, roleRef: {apiGroup: "+group+", kind: ClusterRole, name: "+e.name+
		"}, subjects: [{kind: ServiceAccount, name: api, namespace: "+e.name+"}]}")
	e.t.Cleanup(func() {
		for _, made := range []dynamic.ResourceInterface{roles, bindings} {
			_ = made.Delete(context.WithoutCancel(e.t.Context()), e.name, metav1.DeleteOptions{})
		}
	})
}

// until waits until something is so.
func (e *environment) until(so func() bool) {
	e.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.t.Fatal("it does not come to be so")
		}
	}
}
