package deploy

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
	"zr/pkg/deploy/state"
	kubeobject "zr/pkg/kube/object"
)

// keepReplicas returns the workload with the number of replicas that it has,
// as long as zr owns the field: to give it up while nobody else does would set
// it to one. It passes to the autoscaler when that changes it.
func keepReplicas(o *render.Object, live *unstructured.Unstructured) *render.Object {
	if !o.Scaled || state.Owned(live) == nil {
		return o
	}
	n, set, _ := unstructured.NestedInt64(live.Object, "spec", "replicas")
	ours, err := state.FieldSet(state.Owned(live))
	if !set || err != nil || !ours.Has(fieldpath.MakePathOrDie("spec", "replicas")) {
		return o
	}
	kept := *o
	kept.Unstructured = o.DeepCopy()
	manifest.Need(kept.Object, "spec")["replicas"] = n
	return &kept
}

// stopped says whether somebody has stopped a workload.
func stopped(live *unstructured.Unstructured) bool {
	if live == nil || live.GetDeletionTimestamp() != nil {
		return false
	}
	n, set, _ := unstructured.NestedInt64(live.Object, "spec", "replicas")
	return set && n == 0 && kubeobject.Stopped(live.GetAnnotations(), 0) != ""
}

// keepStopped returns the workload without replicas where somebody has stopped it:
// it stays so until it is started.
func keepStopped(o *render.Object, live *unstructured.Unstructured) *render.Object {
	if !stopped(live) {
		return o
	}
	kept := *o
	kept.Unstructured = o.DeepCopy()
	manifest.Need(kept.Object, "spec")["replicas"] = int64(0)
	return &kept
}
