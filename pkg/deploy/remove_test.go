package deploy_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/internal/testkit"
	"zr/pkg/deploy"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/event"
	"zr/pkg/fault"
)

func (r *run) remove(purge bool) []event.Event {
	r.T.Helper()
	var seen testkit.Recorder
	if err := r.deployer().Remove(r.T.Context(), &seen, purge); err != nil {
		r.T.Fatal(err)
	}
	return seen.Events()
}

// await waits until a controller did its part.
func (r *run) await(what string, done func() bool) {
	r.T.Helper()
	ctx, cancel := context.WithTimeout(r.T.Context(), time.Minute)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			r.T.Fatalf("%s: not within a minute", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// left returns what is in the namespace, by resource.
func (r *run) left() map[string]int {
	r.T.Helper()
	out := map[string]int{}
	for _, resource := range []string{"deployments", "statefulsets", "services", "secrets", "persistentvolumeclaims", "pods"} {
		list, err := r.admin.at(resource, r.Namespace).List(r.T.Context(), metav1.ListOptions{})
		if err != nil {
			r.T.Fatal(err)
		}
		if n := len(list.Items); n > 0 {
			out[resource] = n
		}
	}
	return out
}

// TestARightToDeleteThatIsMissingKeepsAll takes down as somebody who may delete nearly
// all of it.
func TestARightToDeleteThatIsMissingKeepsAll(t *testing.T) {
	r := newRun(t)
	r.up()
	administrator, before := r.cfg, r.left()
	name := r.be("cleaner", rule("*", "*", "get", "list"), rule("apps", "deployments", "delete"), rule("", "*", "delete", "patch"))
	r.await("the role to be known", func() bool {
		return r.deployer().May(t.Context(), []deploy.Right{{Verb: "patch", Resource: "secrets"}}) == nil
	})
	for _, purge := range []bool{false, true} {
		err := r.deployer().Remove(t.Context(), event.Discard, purge)
		testkit.ErrorSays(t, err, `StatefulSet "db" is to go`, name, "may not delete statefulsets in namespace")
		if hint := fault.HintOf(err); !strings.Contains(hint, "--verb=delete --resource=statefulsets.apps --namespace "+r.Namespace) {
			t.Errorf("hint %q", hint)
		}
		if after := r.left(); after["deployments"] != before["deployments"] || after["services"] != before["services"] {
			t.Errorf("before there were %v, after it %v", before, after)
		}
	}
	r.cfg = administrator
	r.remove(true)
}

func TestDownKeepsDataAndPurgeDoesNot(t *testing.T) {
	r := newRun(t)
	r.up()
	r.await("the database's claim", func() bool { return r.admin.get("persistentvolumeclaims", r.Namespace, "data-db-0") != nil })
	r.await("all pods", func() bool { return r.left()["pods"] == 3 })

	seen := r.remove(false)
	// The claim, what it was made with, and the Secret that stands for the set.
	if got, want := r.left(), map[string]int{"persistentvolumeclaims": 1, "secrets": 2}; !maps.Equal(got, want) {
		t.Errorf("down leaves %v, want %v", got, want)
	}
	if r.admin.get("namespaces", "", r.Namespace) == nil {
		t.Error("down removed the namespace")
	}
	last, _ := seen[len(seen)-1].(event.StepProgress)
	if last.Step != deploy.StepRemove || last.Done != last.Total {
		t.Errorf("the last event is %+v", last)
	}
	r.remove(false)

	r.up()
	if cs := r.diff(); !cs.Empty() {
		t.Errorf("after down and up there is a difference: %v", actions(cs))
	}
	r.remove(true)
	if r.admin.get("namespaces", "", r.Namespace) != nil {
		t.Error("purge left the namespace")
	}
	r.remove(true)
}

func TestPurgeAfterDown(t *testing.T) {
	r := newRun(t)
	r.up()
	r.remove(false)
	r.remove(true)
	if r.admin.get("namespaces", "", r.Namespace) != nil {
		t.Error("purge left the namespace")
	}
}

func TestPurgeSparesStrangers(t *testing.T) {
	r := newRun(t)
	r.up()
	stranger := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"name": "mine"},
		"spec": map[string]any{"accessModes": []any{"ReadWriteOnce"}, "resources": map[string]any{"requests": map[string]any{"storage": "1Gi"}}},
	}}
	if _, err := r.admin.at("persistentvolumeclaims", r.Namespace).Create(t.Context(), stranger, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	seen := r.remove(true)
	if got, want := r.left(), map[string]int{"persistentvolumeclaims": 1}; !maps.Equal(got, want) {
		t.Errorf("purge leaves %v, want %v", got, want)
	}
	said := false
	for _, e := range seen {
		notice, ok := e.(event.Notice)
		said = said || (ok && strings.Contains(notice.Text, `PersistentVolumeClaim "mine"`))
	}
	if !said {
		t.Error("no notice says why the namespace stays")
	}
}

func TestUpWhileTheNamespaceGoes(t *testing.T) {
	r := newRun(t)
	r.up()
	if err := r.admin.at("namespaces", "").Delete(t.Context(), r.Namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	r.up()
	if r.admin.get("deployments", r.Namespace, "web") == nil {
		t.Error("the Deployment is not there")
	}
}

func TestRemoveFindsTheNamespace(t *testing.T) {
	r := newRun(t)
	r.Options.Set = r.Namespace // unique in the cluster
	r.up()
	r.deployer()
	d, err := deploy.New(kubetest.Connect(r.T, r.cfg), r.Options.Set, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Remove(t.Context(), event.Discard, true); err != nil {
		t.Fatal(err)
	}
	if r.admin.get("namespaces", "", r.Namespace) != nil {
		t.Error("purge left the namespace")
	}
	if err := d.Remove(t.Context(), event.Discard, true); err != nil {
		t.Errorf("removing what is not there: %v", err)
	}
}

func TestRemoveIsCancellable(t *testing.T) {
	r := newRun(t)
	r.up()
	r.await("a pod", func() bool { return r.left()["pods"] > 0 })
	// A finalizer that nobody removes keeps the pod.
	pods, err := r.admin.at("pods", r.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pod := pods.Items[0].GetName()
	r.patch("pods", pod, `{"metadata":{"finalizers":["zrtest.example.com/hold"]}}`)
	t.Cleanup(func() {
		_, _ = r.admin.at("pods", r.Namespace).Patch(context.Background(), pod, "application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	})
	ctx, cancel := context.WithCancel(t.Context())
	waiting := event.SinkFunc(func(e event.Event) {
		if p, ok := e.(event.StepProgress); ok && strings.Contains(p.Detail, "waiting for "+pod) {
			cancel()
		}
	})
	testkit.ErrorSays(t, r.deployer().Remove(ctx, waiting, false), "waiting for the pods to go", "canceled")
}
