package deploy

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"zr/pkg/deploy/state"
	"zr/pkg/fault"
)

func TestOwnerOf(t *testing.T) {
	for _, test := range []struct{ metadata, want string }{
		{"annotations: {meta.helm.sh/release-name: shop}\n  labels: {app.kubernetes.io/managed-by: Helm}", `Helm release "shop"`},
		{"labels: {applyset.kubernetes.io/part-of: applyset-x-v1}", "another ApplySet, applyset-x-v1"},
		{"ownerReferences: [{kind: Thing, name: t, controller: true}]", `Thing "t"`},
		{"labels: {argocd.argoproj.io/instance: shop}", `Argo CD application "shop"`},
		{"labels: {app.kubernetes.io/managed-by: terraform}", `"terraform"`},
		{"managedFields: [{manager: kubectl-create, operation: Update}, {manager: kubelet, operation: Update, subresource: status}]", `whoever used "kubectl-create"`},
		{"name: x", "somebody else"},
	} {
		live := parse(t, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  "+test.metadata)
		if got := ownerOf(live); got != test.want {
			t.Errorf("%s: the owner is %s, want %s", test.metadata, got, test.want)
		}
	}
}

func TestCheckOwner(t *testing.T) {
	labelled := func(set, name string) string {
		return "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: " + name + ", namespace: shop, labels: {applyset.kubernetes.io/part-of: " + set +
			"}, managedFields: [{manager: zr, operation: Apply, fieldsV1: {}}]}"
	}
	for _, test := range []struct {
		live    string
		applied bool
		fine    bool
	}{
		{"", false, true},
		{labelled("ours", "x"), false, true},
		{labelled("theirs", "x"), true, false},
		{labelled("''", "x"), false, false},
		{labelled("''", "x"), true, true},
		{labelled("''", "default"), false, true}, // the cluster's own
	} {
		err := (&Deployer{}).checkOwner(parse(t, test.live), "ours", test.applied)
		if (err == nil) != test.fine {
			t.Errorf("%s, applied before: %v: %v", test.live, test.applied, err)
		}
		if err != nil && !strings.Contains(fault.HintOf(err), "kubectl label --overwrite serviceaccount x applyset.kubernetes.io/part-of=ours -n shop") {
			t.Errorf("the hint is %q", fault.HintOf(err))
		}
	}
}

func TestConflicts(t *testing.T) {
	cause := func(field, manager string) metav1.StatusCause {
		return metav1.StatusCause{Type: metav1.CauseTypeFieldManagerConflict, Field: field, Message: `conflict with "` + manager + `" using apps/v1`}
	}
	applied := cause(".spec.replicas", "rollouts")
	applied.Message = `conflict with "rollouts"`
	err := apierrors.NewApplyConflict([]metav1.StatusCause{
		cause(".spec.replicas", "kubectl-scale"),
		cause(`.spec.template.spec.containers[name="web"].image`, "kubectl-edit"),
		cause(`.spec.template.spec.containers[name="web"].stdin`, "kubectl-edit"),
		cause(".spec.paused", "rollouts"),
		applied,
	}, "conflicts")
	was := state.Record{Fields: []byte(`{"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{},"f:name":{}}}}}}}`)}
	got := foreign(conflictsOf(err), was, parse(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}"))
	want := []conflict{{`.spec.template.spec.containers[name="web"].stdin`, "kubectl-edit", false}, {".spec.paused", "rollouts", false}, {".spec.replicas", "rollouts", true}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(conflict{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if conflictsOf(&apierrors.StatusError{ErrStatus: metav1.Status{Code: http.StatusConflict, Reason: metav1.StatusReasonConflict}}) != nil {
		t.Error("a conflict of versions is taken for one of managers")
	}
}
