package deploy_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"zr/internal/testkit"
	"zr/pkg/deploy"
	"zr/pkg/deploy/render"
	"zr/pkg/event"
	"zr/pkg/fault"
)

func TestApplyThenNothing(t *testing.T) {
	r := newRun(t)
	cs := r.up()
	expectActions(t, cs, map[string]deploy.Action{
		"Namespace/" + r.Namespace: deploy.Created, "ConfigMap/settings": deploy.Created, "Secret/secrets": deploy.Created,
		"Service/web": deploy.Created, "Service/db": deploy.Created, "Deployment/web": deploy.Created, "StatefulSet/db": deploy.Created,
	})
	web := r.admin.get("deployments", r.Namespace, "web")
	if web == nil {
		t.Fatal("the Deployment is not there")
	}
	if web.GetLabels()["app.kubernetes.io/managed-by"] != "zr" {
		t.Error("the Deployment does not say that zr manages it")
	}

	count := &counter{}
	r.cfg = rest.CopyConfig(r.cfg)
	r.cfg.Wrap(func(inner http.RoundTripper) http.RoundTripper { count.inner = inner; return count })
	for range 2 {
		if cs := r.up(); !cs.Empty() || len(cs.Changed()) > 0 {
			t.Errorf("a second run changes %v", actions(cs))
		}
	}
	if n := count.writes.Load(); n != 0 {
		t.Errorf("a run with nothing to do wrote %d times", n)
	}
	// Namespace, parent, and one list for each of five kinds.
	if n := count.reads.Load(); n > 2*7 {
		t.Errorf("two runs with nothing to do read %d times", n)
	}
	if now := r.admin.get("deployments", r.Namespace, "web"); now.GetResourceVersion() != web.GetResourceVersion() && now.GetGeneration() != web.GetGeneration() {
		t.Error("the Deployment was touched")
	}
}

// TestApplyAhead holds back the image of one workload until the other is there.
func TestApplyAhead(t *testing.T) {
	r := newRun(t)
	rendered, d := r.Render(), r.deployer()
	cs, err := d.Diff(t.Context(), rendered)
	if err != nil {
		t.Fatal(err)
	}
	late := false // only for the goroutine that waits for the web's image
	err = d.ApplyAhead(t.Context(), rendered, cs, event.Discard, func(ctx context.Context, images []string) error {
		if !slices.Equal(images, []string{"web"}) {
			return nil
		}
		for r.admin.get("statefulsets", r.Namespace, "db") == nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		late = r.admin.get("deployments", r.Namespace, "web") == nil
		return nil
	})
	if err != nil || !late {
		t.Errorf("the workload came after its image: %v, %v", late, err)
	}
	expectActions(t, r.diff(), nil)

	r.Options.Settings["COLOUR"] = "green"
	rendered = r.Render()
	if cs, err = d.Diff(t.Context(), rendered); err != nil {
		t.Fatal(err)
	}
	never := errors.New("it does not arrive")
	err = d.ApplyAhead(t.Context(), rendered, cs, event.Discard, func(context.Context, []string) error { return never })
	if !errors.Is(err, never) {
		t.Errorf("err = %v, want that an image does not arrive", err)
	}
}

func TestSettingRollsItsReaders(t *testing.T) {
	r := newRun(t)
	r.up()
	r.Options.Settings["COLOUR"] = "green"
	cs := r.up()
	expectActions(t, cs, map[string]deploy.Action{"ConfigMap/settings": deploy.Configured, "Deployment/web": deploy.Configured})
	change := fields(cs, "ConfigMap", "settings")[".data.COLOUR"]
	if change.Old != "blue" || change.New != "green" {
		t.Errorf("the diff of the setting is %v", change)
	}
	if _, ok := fields(cs, "Deployment", "web")[`.spec.template.metadata.annotations["zr.dev/settings-hash"]`]; !ok {
		t.Errorf("the diff of its reader is %v", fields(cs, "Deployment", "web"))
	}
}

func TestRemovedFieldGoes(t *testing.T) {
	r := newRun(t)
	r.up()
	r.Edit("web.yaml", "          args: [--listen, \":8080\"]\n", "")
	cs := r.up()
	change, ok := fields(cs, "Deployment", "web")[".spec.template.spec.containers[name=web].args[0]"]
	if !ok || change.Old != "--listen" || change.New != nil {
		t.Errorf("the diff is %v", fields(cs, "Deployment", "web"))
	}
}

func TestSecretsAreMasked(t *testing.T) {
	r := newRun(t)
	for _, password := range []string{"correct horse", "battery staple"} {
		r.Options.Secrets["PASSWORD"] = password
		cs := r.up()
		change, ok := fields(cs, "Secret", "secrets")[".data.PASSWORD"]
		if !ok || change.New != "(secret)" {
			t.Errorf("the diff of the Secret is %v", fields(cs, "Secret", "secrets"))
		}
	}
	// A value that found its way into another field is hidden there too.
	r.Edit("web.yaml", ":8080", "battery staple")
	if change := fields(r.diff(), "Deployment", "web")[".spec.template.spec.containers[name=web].args[1]"]; change.New != "(secret)" {
		t.Errorf("the diff of the argument is %v", change)
	}
}

// patch changes an object as `kubectl edit` does.
func (r *run) patch(resource, name, patch string) {
	r.T.Helper()
	_, err := r.admin.at(resource, r.Namespace).Patch(r.T.Context(), name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "kubectl-edit"})
	if err != nil {
		r.T.Fatal(err)
	}
}

func TestDriftIsTakenBack(t *testing.T) {
	r := newRun(t)
	r.up()
	for _, test := range []struct{ resource, name, patch, kind, path string }{
		{"deployments", "web", `{"spec":{"replicas":5}}`, "Deployment", ".spec.replicas"},
		{"deployments", "web", `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"evil"}]}}}}`, "Deployment", ".spec.template.spec.containers[name=web].image"},
		{"deployments", "web", `{"spec":{"template":{"spec":{"containers":[{"name":"web","resources":{"limits":{"cpu":"2"}}}]}}}}`, "Deployment", ".spec.template.spec.containers[name=web].resources.limits.cpu"},
		{"deployments", "web", `{"spec":{"template":{"spec":{"containers":[{"name":"web","args":null}]}}}}`, "Deployment", ".spec.template.spec.containers[name=web].args[0]"},
		{"configmaps", "settings", `{"data":{"COLOUR":null}}`, "ConfigMap", ".data.COLOUR"},
		{"secrets", "secrets", `{"data":{"PASSWORD":"eA=="}}`, "Secret", ".data.PASSWORD"},
		{"services", "web", `{"metadata":{"labels":{"applyset.kubernetes.io/part-of":null}}}`, "Service", `.metadata.labels["applyset.kubernetes.io/part-of"]`},
		{"services", "web", `{"spec":{"selector":{"app":"other"}}}`, "Service", ".spec.selector.app"},
	} {
		r.patch(test.resource, test.name, test.patch)
		cs := r.up()
		expectActions(t, cs, map[string]deploy.Action{test.kind + "/" + test.name: deploy.Configured})
		if _, ok := fields(cs, test.kind, test.name)[test.path]; !ok {
			t.Errorf("%s: the diff is %v", test.patch, fields(cs, test.kind, test.name))
		}
		if cs := r.diff(); !cs.Empty() {
			t.Errorf("%s: afterwards there is still a difference: %v", test.patch, actions(cs))
		}
	}
}

func TestFieldsOfOthersStay(t *testing.T) {
	r := newRun(t)
	r.up()
	r.patch("deployments", "web", `{"metadata":{"annotations":{"team":"blue"}}}`)
	if cs := r.up(); !cs.Empty() {
		t.Errorf("somebody's annotation leads to %v", actions(cs))
	}
	// Until the manifest says something else of it.
	r.Edit("web.yaml", "kind: Deployment\nmetadata: {name: web}", "kind: Deployment\nmetadata: {name: web, annotations: {team: red}}")
	err := r.diffError()
	testkit.ErrorSays(t, err, `Deployment "web"`, ".metadata.annotations.team", `"kubectl-edit"`)
	if fault.HintOf(err) == "" {
		t.Error("no hint")
	}
}

func TestForeignObjectIsRefused(t *testing.T) {
	r := newRun(t)
	r.up()
	foreign := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "extra", "annotations": map[string]any{"meta.helm.sh/release-name": "shop"}},
		"data":     map[string]any{"a": "b"},
	}}
	if _, err := r.admin.at("configmaps", r.Namespace).Create(t.Context(), foreign, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	r.Write("extra.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: c}\n")
	r.Edit("kustomization.yaml", "db.yaml", "db.yaml, extra.yaml")
	err := r.diffError()
	testkit.ErrorSays(t, err, `ConfigMap "extra"`, `Helm release "shop"`)
	if hint := fault.HintOf(err); !strings.Contains(hint, "kubectl label") {
		t.Errorf("the hint is %q", hint)
	}
	// Handed over as the hint says, it becomes ours.
	_, label, _ := strings.Cut(fault.HintOf(err), "applyset.kubernetes.io/part-of=")
	label, _, _ = strings.Cut(label, " ")
	r.patch("configmaps", "extra", `{"metadata":{"labels":{"applyset.kubernetes.io/part-of":"`+label+`"}}}`)
	testkit.ErrorSays(t, r.diffError(), ".data.a")
}

func TestPrune(t *testing.T) {
	r := newRun(t)
	r.Write("claim.yaml", `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`)
	r.Edit("kustomization.yaml", "db.yaml", "db.yaml, claim.yaml")
	r.up()
	r.Edit("kustomization.yaml", ", db.yaml, claim.yaml", "")
	cs := r.up()
	expectActions(t, cs, map[string]deploy.Action{"StatefulSet/db": deploy.Pruned, "Service/db": deploy.Pruned})
	if r.admin.get("services", r.Namespace, "db") != nil {
		t.Error("the Service is still there")
	}
	if r.admin.get("persistentvolumeclaims", r.Namespace, "files") == nil {
		t.Error("the claim is gone")
	}
	if cs := r.diff(); !cs.Empty() {
		t.Errorf("afterwards there is still a difference: %v", actions(cs))
	}
	r.Edit("kustomization.yaml", "[namespace.yaml, web.yaml]", "[]")
	if _, err := render.Render(t.Context(), r.Options); fault.Code(err) != fault.Usage {
		t.Errorf("an empty overlay: %v", err)
	}
}

func TestWhatCannotChange(t *testing.T) {
	const job = `
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: once, image: "example/once:1"}]}
`
	r := newRun(t)
	r.Write("job.yaml", job)
	r.Edit("kustomization.yaml", "db.yaml", "db.yaml, job.yaml")
	r.up()
	before := r.admin.get("jobs", r.Namespace, "once").GetUID()
	r.Edit("job.yaml", "once:1", "once:2")
	r.Edit("web.yaml", "app: web", "app: site")
	expectActions(t, r.up(), map[string]deploy.Action{"Job/once": deploy.Replaced, "Deployment/web": deploy.Replaced, "Service/web": deploy.Configured})
	if after := r.admin.get("jobs", r.Namespace, "once"); after == nil || after.GetUID() == before {
		t.Error("the Job was not replaced")
	}
	if cs := r.diff(); !cs.Empty() {
		t.Errorf("afterwards there is still a difference: %v", actions(cs))
	}

	r.Edit("web.yaml", "replicas: 2", "strategy: {type: Recreate}")
	expectActions(t, r.up(), map[string]deploy.Action{"Deployment/web": deploy.Replaced})

	// What would be refused is not deleted first.
	r.Edit("web.yaml", "app: site", "app: third")
	r.Edit("web.yaml", "image: web", "image: \"\"")
	testkit.ErrorSays(t, r.diffError(), `Deployment "web"`, "image")
	r.Edit("web.yaml", "image: \"\"", "image: web")
	r.Edit("web.yaml", "app: third", "app: site")

	// A Service's address is known to others.
	r.Edit("db.yaml", "spec:\n  selector: {app: db}\n  ports", "spec:\n  clusterIP: None\n  selector: {app: db}\n  ports")
	testkit.ErrorSays(t, r.diffError(), `Service "db"`, "spec.clusterIPs[0]")
	r.Edit("db.yaml", "  clusterIP: None\n", "")

	// A kubelet would go on with what it has read.
	r.Edit("job.yaml", "apiVersion: batch/v1", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fixed}\nimmutable: true\ndata: {a: \"1\"}\n---\napiVersion: batch/v1")
	r.up()
	r.Edit("job.yaml", "{a: \"1\"}", "{a: \"2\"}")
	err := r.diffError()
	testkit.ErrorSays(t, err, `ConfigMap "fixed"`, "immutable")
	if !strings.Contains(fault.HintOf(err), "another name") {
		t.Errorf("the hint is %q", fault.HintOf(err))
	}
	r.Edit("job.yaml", "{a: \"2\"}", "{a: \"1\"}")

	r.Edit("db.yaml", "storage: 1Gi", "storage: 2Gi")
	err = r.diffError()
	testkit.ErrorSays(t, err, `StatefulSet "db"`)
	if !strings.Contains(fault.HintOf(err), "--cascade=orphan") {
		t.Errorf("the hint is %q", fault.HintOf(err))
	}
}

func TestStatefulSetThatCannotStartIsFixed(t *testing.T) {
	r := newRun(t)
	r.up()
	r.await("the database's pod", func() bool { return r.admin.get("pods", r.Namespace, "db-0") != nil })
	r.Edit("db.yaml", "example/db:1", "example/db:2")
	r.up()
	r.await("a pod with the new image", func() bool {
		pod := r.admin.get("pods", r.Namespace, "db-0")
		if pod == nil {
			return false
		}
		containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
		return containers[0].(map[string]any)["image"] == "example/db:2"
	})
}

func TestServerRefuses(t *testing.T) {
	r := newRun(t)
	r.up()
	r.Edit("web.yaml", "containerPort: 8080", "containerPort: 80800")
	r.Edit("db.yaml", "[{port: 5432}]", "[{port: 0}]")
	err := r.diffError()
	testkit.ErrorSays(t, err, `Deployment "web"`, "80800", `Service "db"`, "web.yaml:2:1")
	if fault.Code(err) != fault.Usage {
		t.Errorf("the code is %d", fault.Code(err))
	}
}

// interrupted fails every write after the first few, as a killed process does.
type interrupted struct {
	inner http.RoundTripper
	left  atomic.Int64
}

var errKilled = errors.New("killed")

func (i *interrupted) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodGet && i.left.Add(-1) < 0 {
		return nil, errKilled
	}
	return i.inner.RoundTrip(request)
}

func TestInterruptedAnywhereConverges(t *testing.T) {
	for writes := range int64(10) {
		r := newRun(t)
		whole := r.cfg
		broken := &interrupted{}
		broken.left.Store(writes)
		r.cfg = rest.CopyConfig(whole)
		r.cfg.Wrap(func(inner http.RoundTripper) http.RoundTripper { broken.inner = inner; return broken })
		rendered, d := r.Render(), r.deployer()
		cs, err := d.Diff(t.Context(), rendered)
		if err == nil {
			err = d.Apply(t.Context(), rendered, cs, event.Discard)
		}
		r.cfg = whole
		if writes > 0 && err != nil { // it begins to write after a dry run
			testkit.ErrorSays(t, err, `applying "zr-test": `, `Patch "https://`, r.Namespace, errKilled.Error())
			if hint := fault.HintOf(err); !strings.Contains(hint, "zr up") || !strings.Contains(hint, "does the rest") {
				t.Errorf("after %d writes the hint is %q", writes, hint)
			}
		}
		if finished := err == nil; finished != r.diff().Empty() {
			t.Errorf("after %d writes and the result %v, the change set does %v", writes, err, actions(r.diff()))
		}
		r.up()
		if cs := r.diff(); !cs.Empty() {
			t.Errorf("after %d writes and another run there is still a difference: %v", writes, actions(cs))
		}
	}
}

func TestCancelled(t *testing.T) {
	r := newRun(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.deployer().Diff(ctx, r.Render())
	if fault.Code(err) != fault.Interrupted {
		t.Errorf("a cancelled diff returns %v", err)
	}
}

func TestDefinitionAndItsObjects(t *testing.T) {
	r := newRun(t)
	group := strings.ReplaceAll(r.Namespace, "-", "") + ".example.com"
	r.Write("crd.yaml", `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.GROUP}
spec:
  group: GROUP
  names: {kind: Gadget, plural: gadgets, singular: gadget}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
---
apiVersion: GROUP/v1
kind: Gadget
metadata: {name: one}
spec: {size: 3}
`)
	r.Edit("crd.yaml", "GROUP", group)
	r.Edit("kustomization.yaml", "db.yaml", "db.yaml, crd.yaml")
	t.Cleanup(func() {
		_ = r.admin.at("customresourcedefinitions", "").Delete(context.Background(), "gadgets."+group, metav1.DeleteOptions{})
	})
	r.up()
	if cs := r.up(); !cs.Empty() {
		t.Errorf("a second run changes %v", actions(cs))
	}
	r.Edit("crd.yaml", "size: 3", "sise: 3")
	testkit.ErrorSays(t, r.diffError(), `Gadget "one"`, ".spec.sise")
	// Pruned by a run that knows of the kind only from the set.
	r.Edit("kustomization.yaml", ", crd.yaml", "")
	expectActions(t, r.up(), map[string]deploy.Action{"Gadget/one": deploy.Pruned})
	if r.admin.get("customresourcedefinitions", "", "gadgets."+group) == nil {
		t.Error("the definition was pruned")
	}
}

// A kind that only the cluster knows: its definition is rendered once, and its
// object, which is in no namespace, goes on.
func TestKindOfTheCluster(t *testing.T) {
	r := newRun(t)
	group := strings.ReplaceAll(r.Namespace, "-", "") + ".example.com"
	r.Write("crd.yaml", `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: realms.GROUP}
spec:
  group: GROUP
  names: {kind: Realm, plural: realms, singular: realm}
  scope: Cluster
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`)
	r.Write("realm.yaml", "apiVersion: GROUP/v1\nkind: Realm\nmetadata: {name: one}\nspec: {size: 3}\n")
	r.Edit("crd.yaml", "GROUP", group)
	r.Edit("realm.yaml", "GROUP", group)
	r.Edit("kustomization.yaml", "db.yaml", "db.yaml, crd.yaml, realm.yaml")
	t.Cleanup(func() {
		_ = r.admin.at("customresourcedefinitions", "").Delete(context.Background(), "realms."+group, metav1.DeleteOptions{})
	})
	r.up()
	r.Edit("kustomization.yaml", "crd.yaml, ", "")
	expectActions(t, r.up(), map[string]deploy.Action{})
	if cs := r.diff(); !cs.Empty() {
		t.Errorf("there is still a difference: %v", actions(cs))
	}
	r.Edit("kustomization.yaml", ", realm.yaml", "")
	expectActions(t, r.up(), map[string]deploy.Action{"Realm/one": deploy.Pruned})
}

func TestUnknownKind(t *testing.T) {
	r := newRun(t)
	r.Write("x.yaml", "apiVersion: nowhere.example.com/v1\nkind: Nothing\nmetadata: {name: x}\n")
	r.Edit("kustomization.yaml", "db.yaml", "db.yaml, x.yaml")
	testkit.ErrorSays(t, r.diffError(), "Nothing", "nowhere.example.com/v1")
}

func TestDevAndBack(t *testing.T) {
	r := newRun(t)
	r.up()
	r.Options.Dev = map[string]render.DevService{"web": {Memory: "1Gi", WritableDir: "/app", Secrets: map[string]string{"TOKEN": "hidden token"}}}
	cs := r.up()
	expectActions(t, cs, map[string]deploy.Action{"Deployment/web": deploy.Configured, "Secret/web-dev": deploy.Created})
	if change := fields(cs, "Secret", "web-dev")[".data.TOKEN"]; change.New != "(secret)" {
		t.Errorf("the diff of the token is %v", change)
	}
	if cs := r.diff(); !cs.Empty() {
		t.Errorf("in dev mode there is still a difference: %v", actions(cs))
	}
	live := r.admin.get("deployments", r.Namespace, "web")
	if surge, _, _ := unstructured.NestedInt64(live.Object, "spec", "strategy", "rollingUpdate", "maxSurge"); surge != 0 {
		t.Errorf("%d pods too many at once", surge)
	}
	r.Options.Dev = nil
	expectActions(t, r.up(), map[string]deploy.Action{"Deployment/web": deploy.Configured, "Secret/web-dev": deploy.Pruned})
	if cs := r.diff(); !cs.Empty() {
		t.Errorf("afterwards there is still a difference: %v", actions(cs))
	}
}
