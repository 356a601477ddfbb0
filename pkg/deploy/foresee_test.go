package deploy_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"zr/internal/testkit"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/deploy/render"
	"zr/pkg/fault"
)

// foreseen returns what the cluster refuses before there are any images.
func (r *run) foreseen() error {
	r.Options.Images = map[string]string{"web": ""}
	rendered, err := render.Render(r.T.Context(), r.Options)
	if err != nil {
		r.T.Fatal(err)
	}
	return r.deployer().Foresee(r.T.Context(), rendered)
}

func (r *run) make(group, resource string, object map[string]any) {
	r.T.Helper()
	m := &unstructured.Unstructured{Object: object}
	client := kubetest.Client(r.T, r.cfg, group, "v1", resource)
	var err error
	if m.GetNamespace() != "" {
		_, err = client.Namespace(m.GetNamespace()).Create(r.T.Context(), m, metav1.CreateOptions{})
	} else {
		_, err = client.Create(r.T.Context(), m, metav1.CreateOptions{})
		r.T.Cleanup(func() { _ = client.Delete(context.Background(), m.GetName(), metav1.DeleteOptions{}) })
	}
	if err != nil {
		r.T.Fatal(err)
	}
}

// be makes what follows the doing of somebody who may do no more than the rules say.
func (r *run) be(who string, rules ...any) (name string) {
	r.T.Helper()
	const rbac = "rbac.authorization.k8s.io"
	name = who + "-" + r.Namespace
	r.make(rbac, "clusterroles", map[string]any{"apiVersion": rbac + "/v1", "kind": "ClusterRole", "metadata": map[string]any{"name": name}, "rules": rules})
	r.make(rbac, "clusterrolebindings", map[string]any{"apiVersion": rbac + "/v1", "kind": "ClusterRoleBinding", "metadata": map[string]any{"name": name},
		"roleRef":  map[string]any{"apiGroup": rbac, "kind": "ClusterRole", "name": name},
		"subjects": []any{map[string]any{"apiGroup": rbac, "kind": "User", "name": name}}})
	r.cfg = rest.CopyConfig(r.cfg)
	r.cfg.Impersonate.UserName = name
	return name
}

func rule(group, resource string, verbs ...any) any {
	return map[string]any{"apiGroups": []any{group}, "resources": []any{resource}, "verbs": verbs}
}

// TestForeseeRulesAboutPods has what only the makers of pods are told, long
// after the workload was applied.
func TestForeseeRulesAboutPods(t *testing.T) {
	limit := func(r *run) {
		r.make("", "limitranges", map[string]any{"apiVersion": "v1", "kind": "LimitRange", "metadata": map[string]any{"name": "small", "namespace": r.Namespace},
			"spec": map[string]any{"limits": []any{map[string]any{"type": "Container", "max": map[string]any{"memory": "100Mi"}}}}})
	}
	for what, c := range map[string]struct {
		rule func(*run)
		want string
	}{
		"a LimitRange": {limit, "maximum memory usage per Container is 100Mi"},
		"Pod Security": {func(r *run) {
			if _, err := r.admin.at("namespaces", "").Patch(t.Context(), r.Namespace, "application/merge-patch+json",
				[]byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`), metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
		}, "violates PodSecurity"},
		"a quota without its limits": {func(r *run) {
			r.make("", "resourcequotas", map[string]any{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": map[string]any{"name": "some", "namespace": r.Namespace},
				"spec": map[string]any{"hard": map[string]any{"limits.cpu": "4"}}})
		}, "must specify limits.cpu"},
	} {
		t.Log(what)
		r := newRun(t)
		if err := r.foreseen(); err != nil {
			t.Errorf("before there is a namespace: %v", err)
		}
		r.Write("empty.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: empty}\n")
		r.Edit("kustomization.yaml", "[namespace.yaml, web.yaml, db.yaml]", "[namespace.yaml, empty.yaml]")
		r.up()
		r.Edit("kustomization.yaml", "[namespace.yaml, empty.yaml]", "[namespace.yaml, web.yaml, db.yaml]")
		if err := r.foreseen(); err != nil {
			t.Errorf("before there is a rule: %v", err)
		}
		c.rule(r)
		var err error
		r.await("the server to judge by it", func() bool { err = r.foreseen(); return err != nil })
		testkit.ErrorSays(t, err, c.want)
		if got := r.left()["deployments"]; got != 0 {
			t.Error("something was made")
		}
	}
}

// TestForeseeWhatAnApplyRefuses has a Service that cannot change.
func TestForeseeWhatAnApplyRefuses(t *testing.T) {
	r := newRun(t)
	r.up()
	r.Edit("db.yaml", "spec:\n  selector: {app: db}\n  ports", "spec:\n  clusterIP: None\n  selector: {app: db}\n  ports")
	testkit.ErrorSays(t, r.foreseen(), `Service "db"`, "spec.clusterIPs[0]")
}

func TestForeseeANamespaceThatNobodyMakes(t *testing.T) {
	r := newRun(t)
	r.Edit("kustomization.yaml", "namespace.yaml, ", "")
	for what, err := range map[string]error{"on a cluster": r.foreseen(), "before there is one": r.Render().NeedsNamespace()} {
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("namespace %q does not exist", r.Namespace)) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestDiffNamesTheRightToDeleteThatIsMissing prunes as somebody who may not delete.
func TestDiffNamesTheRightToDeleteThatIsMissing(t *testing.T) {
	r := newRun(t)
	r.up()
	r.be("writer", rule("*", "*", "get", "list", "create", "patch", "update"))
	r.Edit("kustomization.yaml", ", db.yaml", "")
	r.await("the right to read", func() bool {
		_, err := r.deployer().Diff(t.Context(), r.Render())
		return !strings.Contains(fmt.Sprint(err), "cannot ")
	})
	testkit.ErrorSays(t, r.diffError(), `StatefulSet "db"`, "may not delete statefulsets", "may not delete services", r.Namespace)
}

// TestForeseeMissingRights asks as somebody who may read and make namespaces.
func TestForeseeMissingRights(t *testing.T) {
	r := newRun(t)
	r.be("visitor", rule("", "namespaces", "get", "create", "patch"), rule("*", "*", "get", "list"), rule("", "services", "create", "patch"))
	r.await("the right to read", func() bool { return !strings.Contains(fmt.Sprint(r.foreseen()), "cannot ") })
	err := r.foreseen()
	testkit.ErrorSays(t, err, "may not create deployments", "may not create statefulsets", r.Namespace)
	if strings.Contains(err.Error(), "services") {
		t.Errorf("a right that is there is missed: %v", err)
	}
}
