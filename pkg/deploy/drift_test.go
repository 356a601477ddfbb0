package deploy_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"zr/internal/testkit"
	"zr/pkg/deploy"
	"zr/pkg/deploy/render/rendertest"
)

// nodePort gives the web's Service a port of the node that no other test has.
func (r *run) nodePort() int64 {
	r.T.Helper()
	ports, _, _ := unstructured.NestedSlice(r.admin.get("services", r.Namespace, "web").Object, "spec", "ports")
	port, _ := ports[0].(map[string]any)["nodePort"].(int64)
	return port
}

// TestHandEditThatBlocksAnApply moves a Service's port by hand, as kubectl edit
// does: an apply puts the old one beside it, with the same port of the node, and
// the server refuses that for ever.
func TestHandEditThatBlocksAnApply(t *testing.T) {
	r := newRun(t)
	r.up()
	port := r.nodePort()
	r.Edit("web.yaml", "ports: [{port: 80, targetPort: http}]", "ports: [{port: 80, targetPort: http, nodePort: "+itoa(port)+"}]")
	r.up()
	edited := `[{"op": "replace", "path": "/spec/ports", "value": [{"port": 8080, "targetPort": "http", "protocol": "TCP", "nodePort": ` + itoa(port) + `}]}]`
	if _, err := r.admin.at("services", r.Namespace).Patch(t.Context(), "web", types.JSONPatchType, []byte(edited), metav1.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
	r.patch("configmaps", "settings", `{"data":{"COLOUR":"red"}}`) // other drift is not hidden by it
	cs := r.up()
	expectActions(t, cs, map[string]deploy.Action{"Service/web": deploy.Configured, "ConfigMap/settings": deploy.Configured})
	ports, _, _ := unstructured.NestedSlice(r.admin.get("services", r.Namespace, "web").Object, "spec", "ports")
	if len(ports) != 1 || ports[0].(map[string]any)["port"] != int64(80) {
		t.Errorf("the Service has the ports %v", ports)
	}
	expectActions(t, r.diff(), nil)
	// What was owned by the way back is zr's like all else: it goes when it is
	// no longer rendered.
	r.Edit("web.yaml", ", targetPort: http", "")
	r.up()
	ports, _, _ = unstructured.NestedSlice(r.admin.get("services", r.Namespace, "web").Object, "spec", "ports")
	if got := ports[0].(map[string]any)["targetPort"]; got == "http" {
		t.Errorf("the target port is still %v", got)
	}
	expectActions(t, r.diff(), nil)
}

// TestRefusalHidesNoDrift has one object that the server refuses, and another
// that was changed by hand.
func TestRefusalHidesNoDrift(t *testing.T) {
	r := newRun(t)
	r.up()
	r.patch("configmaps", "settings", `{"data":{"COLOUR":"red"}}`)
	r.Edit("db.yaml", "[{port: 5432}]", "[{port: 0}]")
	cs, err := r.deployer().Diff(t.Context(), r.Render())
	testkit.ErrorSays(t, err, `Service "db"`)
	if cs == nil {
		t.Fatal("nothing else is shown")
	}
	expectActions(t, cs, map[string]deploy.Action{"Service/db": deploy.Refused, "ConfigMap/settings": deploy.Configured})
	if change := fields(cs, "ConfigMap", "settings")[".data.COLOUR"]; change.Old != "red" || change.New != "blue" {
		t.Errorf("the drift is %v", change)
	}
}

// TestWhatWasAddedByHandIsShown adds a variable to a container and entries to a
// ConfigMap and a Secret, which an apply leaves.
func TestWhatWasAddedByHandIsShown(t *testing.T) {
	r := newRun(t)
	r.up()
	r.patch("deployments", "web", `{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"DEBUG","value":"1"}]}]}}}}`)
	r.patch("configmaps", "settings", `{"data":{"EXTRA":"by hand"}}`)
	r.patch("secrets", "secrets", `{"data":{"EXTRA":"aGlkZGVu"}}`)
	cs := r.diff()
	var got []string
	for _, c := range cs.Changes {
		for _, a := range c.Added {
			got = append(got, c.Kind+a.Path)
			if a.Manager != "kubectl-edit" || a.Time.IsZero() || c.Kind == "Secret" && a.Value != "(secret)" {
				t.Errorf("%+v", a)
			}
		}
	}
	slices.Sort(got)
	want := []string{"ConfigMap.data.EXTRA", `Deployment.spec.template.spec.containers[name="web"].env[name="DEBUG"]`, "Secret.data.EXTRA"}
	if !slices.Equal(got, want) {
		t.Errorf("added are %q, want %q", got, want)
	}
	if !cs.Empty() {
		t.Errorf("the change set does %v", actions(cs))
	}
}

// TestHandEditIsTakenBackWithAWord names who changed what.
func TestHandEditIsTakenBackWithAWord(t *testing.T) {
	r := newRun(t)
	r.up()
	r.patch("deployments", "web", `{"spec":{"replicas":5}}`)
	cs := r.up()
	expectActions(t, cs, map[string]deploy.Action{"Deployment/web": deploy.Configured})
	if said := strings.Join(cs.Warnings, "\n"); !strings.Contains(said, `Deployment "web": .spec.replicas was changed by "kubectl-edit" at 20`) || !strings.Contains(said, "Z, and is taken back") {
		t.Errorf("said is %q", said)
	}
	for _, c := range cs.Changed() {
		if len(c.Drifted) != 1 || c.Drifted[0].Path != ".spec.replicas" || c.Drifted[0].Manager != "kubectl-edit" || c.Drifted[0].Time.IsZero() {
			t.Errorf("the drift is %v", c.Drifted)
		}
	}
}

// TestFieldThatAnotherManagerTookOverIsRefused has a field of zr's applied by
// force by somebody else, who means to have it.
func TestFieldThatAnotherManagerTookOverIsRefused(t *testing.T) {
	r := newRun(t)
	r.up()
	force := true
	theirs := `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":4}}`
	if _, err := r.admin.at("deployments", r.Namespace).Patch(t.Context(), "web", types.ApplyPatchType, []byte(theirs), metav1.PatchOptions{FieldManager: "rollouts", Force: &force}); err != nil {
		t.Fatal(err)
	}
	testkit.ErrorSays(t, r.diffError(), `Deployment "web"`, ".spec.replicas", `"rollouts"`)
	// Left out of the manifest, it is theirs.
	r.Edit("web.yaml", "  replicas: 2\n", "")
	r.up()
	if n, _, _ := unstructured.NestedInt64(r.admin.get("deployments", r.Namespace, "web").Object, "spec", "replicas"); n != 4 {
		t.Errorf("it has %d replicas", n)
	}
}

// TestNamespaceMadeBeforehand uses a namespace that somebody made, and leaves it
// to them.
func TestNamespaceMadeBeforehand(t *testing.T) {
	for what, manifest := range map[string]string{
		"by name only": rendertest.NamespaceYAML,
		"with labels":  "apiVersion: v1\nkind: Namespace\nmetadata: {name: NAMESPACE, labels: {team: blue}}\n",
	} {
		r := newRun(t)
		r.Write("namespace.yaml", manifest)
		made := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": r.Namespace}}}
		if _, err := r.admin.at("namespaces", "").Create(t.Context(), made, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
			t.Fatal(err)
		}
		r.up()
		if cs := r.up(); !cs.Empty() {
			t.Errorf("%s: a second run changes %v", what, actions(cs))
		}
		r.remove(false)
		r.up()
		r.await("the database's claim", func() bool { return r.admin.get("persistentvolumeclaims", r.Namespace, "data-db-0") != nil })
		r.remove(true)
		namespace := r.admin.get("namespaces", "", r.Namespace)
		if namespace == nil || namespace.GetDeletionTimestamp() != nil {
			t.Errorf("%s: a purge took the namespace of somebody else", what)
		}
		if left := r.left(); left["deployments"]+left["statefulsets"]+left["persistentvolumeclaims"]+left["secrets"] > 0 {
			t.Errorf("%s: a purge left %v", what, left)
		}
	}
}
