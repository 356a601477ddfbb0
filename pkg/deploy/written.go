package deploy

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
	"zr/pkg/event"
)

// workloads are the kinds that services are.
var workloads = []string{"Deployment", "StatefulSet", "DaemonSet", "Job"}

// tell says that this run has changed a workload, where it has: an apply that finds what it
// wants leaves the time that was noted before.
func (a *application) tell(i *item, written *unstructured.Unstructured) {
	if !slices.Contains(workloads, written.GetKind()) {
		return
	}
	at := appliedAt(written)
	if at.IsZero() || i.live != nil && i.live.GetUID() == written.GetUID() && appliedAt(i.live).Equal(at) {
		return
	}
	a.sink.Emit(event.ServiceWritten{Service: written.GetName(), Kind: written.GetKind(), Written: at.UTC()})
}

// appliedAt is when an object was last changed by an apply of zr, by the clock of the API
// server, in whole seconds.
func appliedAt(live *unstructured.Unstructured) (at time.Time) {
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == manifest.FieldManager && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == "" && entry.Time != nil {
			at = entry.Time.Time
		}
	}
	return at
}
