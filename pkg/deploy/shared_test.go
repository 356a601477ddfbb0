package deploy_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"zr/internal/testkit"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/deploy/render/rendertest"
	"zr/pkg/fault"
)

// What a cluster of others refuses, each before anything was changed there.

// refusedAhead has Foresee refuse, in the words of want, and leave what is there.
func (r *run) refusedAhead(hint string, want ...string) {
	r.T.Helper()
	before := r.left()
	var err error
	r.await("the server to judge by the new rule", func() bool { err = r.foreseen(); return err != nil })
	testkit.ErrorSays(r.T, err, want...)
	if got := fault.HintOf(err); !strings.Contains(got, hint) {
		r.T.Errorf("%v\nthe hint is %q, want %q", err, got, hint)
	}
	after := r.left()
	for _, kind := range []string{"deployments", "statefulsets", "services"} { // controllers make others
		if after[kind] != before[kind] {
			r.T.Errorf("there are %d %s, before there were %d", after[kind], kind, before[kind])
		}
	}
}

func TestAFullQuota(t *testing.T) {
	r := newRun(t)
	r.Edit("kustomization.yaml", "[namespace.yaml, web.yaml, db.yaml]", "[namespace.yaml, web.yaml]")
	r.up()
	r.Edit("kustomization.yaml", "[namespace.yaml, web.yaml]", "[namespace.yaml, web.yaml, db.yaml]")
	r.admin.make("resourcequotas", r.Namespace, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: full}\nspec: {hard: {pods: \"0\"}}")
	r.refusedAhead("ask for less in the manifest, or for more quota", `StatefulSet "db"`, "exceeded quota: full", "limited: pods=0")
}

// TestAWebhookThatRefuses has a real one: it is asked in the dry run, and answers
// with a sentence of its own.
func TestAWebhookThatRefuses(t *testing.T) {
	cfg := kubetest.Server(t) // which reaches this process by the loopback
	p := rendertest.New(t)
	r := &run{p, cfg, &admin{t, cfg}}
	r.up()
	hook := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var review struct {
			Request struct{ UID string }
		}
		if err := json.NewDecoder(q.Body).Decode(&review); err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": map[string]any{
			"uid": review.Request.UID, "allowed": false, "status": map[string]any{"message": "images of team blue only"},
		}})
	}))
	t.Cleanup(hook.Close)
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw}))
	r.admin.make("validatingwebhookconfigurations", "", "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: "+r.Namespace+"}\n"+
		"webhooks: [{name: images.example.test, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {url: \""+hook.URL+"\", caBundle: "+ca+"}, "+
		"rules: [{apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [deployments]}]}]")
	r.Edit("web.yaml", "replicas: 2", "replicas: 3")
	r.refusedAhead("the message is its own: change the manifest as it says", `Deployment "web"`, `admission webhook "images.example.test" denied the request: images of team blue only`)
	if got := r.admin.get("deployments", r.Namespace, "web").GetGeneration(); got != 1 {
		t.Errorf("it was changed: its generation is %d", got)
	}
}

// TestAUserWhoMayReadAndNotWrite looks at an environment that is there, where
// nothing differs, and then wants to change it.
func TestAUserWhoMayReadAndNotWrite(t *testing.T) {
	r := newRun(t)
	r.up()
	administrator := r.cfg
	r.be("reader", rule("*", "*", "get", "list", "watch"))
	r.await("the right to read", func() bool { _, err := r.deployer().Diff(t.Context(), r.Render()); return err == nil })
	if cs := r.diff(); !cs.Empty() {
		t.Errorf("a reader is told of differences that there are not: %v", actions(cs))
	}
	r.Edit("web.yaml", "replicas: 2", "replicas: 3")
	r.refusedAhead(" --verb=patch --resource=deployments.apps", `Deployment "web"`, `cannot patch resource "deployments"`, `in the namespace "`+r.Namespace+`"`)
	if _, err := r.lease("a reader", nil); err == nil || !strings.Contains(err.Error(), `cannot create resource "leases"`) {
		t.Errorf("the lease: %v", err)
	}
	r.cfg = administrator
	if left, err := r.leases().List(t.Context(), metav1.ListOptions{}); err != nil || len(left.Items) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}
