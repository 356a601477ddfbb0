package deploy_test

import (
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"zr/pkg/cmdline"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// make creates an object, written as YAML, which is removed when the test is over.
func (a *admin) make(resource, namespace, manifest string) {
	a.t.Helper()
	m := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &m.Object); err != nil {
		a.t.Fatal(err)
	}
	client := a.at(resource, namespace)
	if _, err := client.Create(a.t.Context(), m, metav1.CreateOptions{}); err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = client.Delete(context.Background(), m.GetName(), metav1.DeleteOptions{}) })
}

// TestARefusalSaysWhatToDo has rules of a cluster that a manifest runs into. The
// server learns of a new rule a moment after it was made.
func TestARefusalSaysWhatToDo(t *testing.T) {
	r := newRun(t)
	r.up()
	refused := func(text, hint string) {
		t.Helper()
		deadline := time.Now().Add(time.Minute)
		for {
			d := r.deployer()
			d.Lines = cmdline.Run{Kubeconfig: "/k", Context: "kind-x"}
			_, err := d.Diff(t.Context(), r.Render())
			if err != nil && strings.Contains(err.Error(), text) {
				if got := fault.HintOf(err); !strings.Contains(got, hint) {
					t.Errorf("%v\nthe hint is %q, want %q", err, got, hint)
				}
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("got %v, want %q", err, text)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	kustomization := "kustomization.yaml"
	with := func(manifest string) (without func()) {
		r.Write("more.yaml", manifest)
		r.Edit(kustomization, "db.yaml", "db.yaml, more.yaml")
		return func() { r.Edit(kustomization, "db.yaml, more.yaml", "db.yaml") }
	}

	// Of a Service: nothing is lost with it.
	r.Edit("db.yaml", "spec:\n  selector: {app: db}\n  ports", "spec:\n  clusterIP: None\n  selector: {app: db}\n  ports")
	refused("may not change once set", "kubectl --kubeconfig /k --context kind-x -n "+r.Namespace+" delete service db")
	r.Edit("db.yaml", "  clusterIP: None\n", "")

	r.admin.make("limitranges", r.Namespace, "apiVersion: v1\nkind: LimitRange\nmetadata: {name: l}\nspec: {limits: [{type: PersistentVolumeClaim, max: {storage: 1Gi}}]}")
	without := with("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: big}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 9Gi}}}\n")
	refused("maximum storage usage per PersistentVolumeClaim is 1Gi", "kubectl --kubeconfig /k --context kind-x -n "+r.Namespace+" describe limitrange")
	without()

	selector := "{matchLabels: {kubernetes.io/metadata.name: " + r.Namespace + "}}"
	r.admin.make("validatingadmissionpolicies", "", "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: "+r.Namespace+"}\n"+
		"spec: {matchConstraints: {namespaceSelector: "+selector+", resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]}, validations: [{expression: 'object.metadata.name != \"no\"', message: not this one}]}")
	r.admin.make("validatingadmissionpolicybindings", "", "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: "+r.Namespace+"}\n"+
		"spec: {policyName: "+r.Namespace+", validationActions: [Deny]}")
	without = with("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"no\"}\n")
	refused("not this one", "change the manifest as it says")
	without()

	r.admin.make("validatingwebhookconfigurations", "", "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: "+r.Namespace+"}\n"+
		"webhooks: [{name: gone.example.test, sideEffects: None, admissionReviewVersions: [v1], namespaceSelector: "+selector+", clientConfig: {service: {namespace: "+r.Namespace+", name: gone}}, rules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]}]")
	without = with("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n")
	refused("failed calling webhook", "an admission webhook of the cluster does not answer")
	without()

	cs := r.diff()
	if err := r.deployer().Apply(t.Context(), r.Render(), cs, event.Discard); err != nil || len(cs.Changed()) > 0 {
		t.Errorf("without them: %v, %v", cs.Changed(), err)
	}
}
