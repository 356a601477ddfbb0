package deploy

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/render"
)

// unstick deletes the pods of a StatefulSet that are not ready and run an
// earlier template. Its controller waits for them to become ready before it
// replaces them, so that a template that cannot start would stand in the way
// of the one that fixes it, for ever. Their data is in claims and stays.
func (d *Deployer) unstick(ctx context.Context, o *render.Object, written *unstructured.Unstructured) error {
	if policy, _, _ := unstructured.NestedString(written.Object, "spec", "podManagementPolicy"); policy == "Parallel" || allReady(written) {
		return nil
	}
	// A pod that goes before the controller knows of the new template comes
	// back with the old one.
	var now *unstructured.Unstructured
	err := poll(ctx, fmt.Sprintf("waiting for the controller to see %s", manifest.Name(written)), func() (bool, error) {
		var err error
		now, err = d.get(ctx, o.Kind, o.GetNamespace(), o.GetName())
		return now == nil || observed(now), err
	})
	if err != nil || now == nil {
		return err
	}
	match, _, _ := unstructured.NestedStringMap(now.Object, "spec", "selector", "matchLabels")
	revision, _, _ := unstructured.NestedString(now.Object, "status", "updateRevision")
	pods, err := d.list(ctx, manifest.PodKind, o.GetNamespace(), labels.SelectorFromSet(match).String())
	if err != nil {
		return err
	}
	for i := range pods {
		pod := &pods[i]
		if pod.GetLabels()["controller-revision-hash"] != revision && pod.GetDeletionTimestamp() == nil && !podReady(pod) && ownedBy(pod, now) {
			if err := d.remove(ctx, manifest.PodKind, pod); err != nil {
				return err
			}
		}
	}
	return nil
}

// allReady says whether every pod that a StatefulSet wants is ready.
func allReady(m *unstructured.Unstructured) bool {
	want, _, _ := unstructured.NestedInt64(m.Object, "spec", "replicas")
	ready, _, _ := unstructured.NestedInt64(m.Object, "status", "readyReplicas")
	return ready >= want
}

// observed says whether the controller has seen the present specification.
func observed(m *unstructured.Unstructured) bool {
	seen, _, _ := unstructured.NestedInt64(m.Object, "status", "observedGeneration")
	return seen >= m.GetGeneration()
}

func podReady(pod *unstructured.Unstructured) bool {
	for _, condition := range manifest.Items(manifest.At(pod.Object, "status"), "conditions") {
		if manifest.Text(condition, "type") == "Ready" {
			return manifest.Text(condition, "status") == "True"
		}
	}
	return false
}

func ownedBy(m, owner *unstructured.Unstructured) bool {
	for _, ref := range m.GetOwnerReferences() {
		if ref.UID == owner.GetUID() {
			return true
		}
	}
	return false
}
