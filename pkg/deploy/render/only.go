package render

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/deploy/manifest"
)

// Borrowed are services that an environment has from another namespace, by their
// usual names.
type Borrowed struct {
	Namespace string   // "" where all are its own
	Services  []string // in the order of the overlay
}

// keepOnly leaves what the workloads named in only need to run beside the rest of an
// environment. What is outside of namespaces is there already; an Ingress would take
// the others' requests; and what the overlay says of the network between its pods is
// about pods in one namespace.
func (b *Borrowed) keepOnly(manifests []*unstructured.Unstructured, only []string) []*unstructured.Unstructured {
	workload := func(m *unstructured.Unstructured) bool {
		return manifest.PodTemplate(m) != nil && slices.Contains(only, m.GetName())
	}
	running := slices.DeleteFunc(slices.Clone(manifests), func(m *unstructured.Unstructured) bool { return !workload(m) })
	// of says whether something is about the pods that a selector finds.
	of := func(selector map[string]string) bool {
		return slices.ContainsFunc(running, func(w *unstructured.Unstructured) bool {
			labels, _, _ := unstructured.NestedStringMap(manifest.PodTemplate(w), "metadata", "labels")
			return selects(selector, labels)
		})
	}
	var kept []*unstructured.Unstructured
	for _, m := range manifests {
		switch kind := manifest.KindOf(m.GroupVersionKind(), manifests); {
		case workload(m):
		case kind == manifest.ServiceKind:
			if selector := serviceSelector(m); !of(selector) && !named(m) {
				b.Services = append(b.Services, m.GetName())
				m = b.nameOf(m)
			}
		case kind == manifest.ClaimKind:
			if !slices.ContainsFunc(running, func(w *unstructured.Unstructured) bool { return claims(w, m.GetName()) }) {
				continue
			}
		case m.GetKind() == "HorizontalPodAutoscaler":
			if !slices.ContainsFunc(running, func(w *unstructured.Unstructured) bool { return scales(m, w) }) {
				continue
			}
		case m.GetKind() == "PodDisruptionBudget":
			if selector, _, _ := unstructured.NestedStringMap(m.Object, "spec", "selector", "matchLabels"); !of(selector) {
				continue
			}
		case kind != manifest.NamespaceKind && !slices.Contains(alongside, m.GetKind()):
			continue
		}
		kept = append(kept, m)
	}
	return kept
}

// alongside are the kinds that workloads read, run as, or are bounded by.
var alongside = []string{"ConfigMap", "LimitRange", "ResourceQuota", "Role", "RoleBinding", "Secret", "SecretProviderClass", "ServiceAccount"}

// named says whether a Service is a name for something already.
func named(m *unstructured.Unstructured) bool {
	return manifest.Text(manifest.At(m.Object, "spec"), "type") == "ExternalName"
}

// nameOf returns a Service that is a name for another of the same name.
func (b *Borrowed) nameOf(m *unstructured.Unstructured) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": m.GetName(), "namespace": m.GetNamespace()},
		"spec": map[string]any{"type": "ExternalName", "externalName": m.GetName() + "." + b.Namespace + ".svc.cluster.local"},
	}}
}

// claims says whether the pods of a workload use a volume.
func claims(workload *unstructured.Unstructured, claim string) bool {
	return slices.ContainsFunc(manifest.Items(manifest.At(manifest.PodTemplate(workload), "spec"), "volumes"), func(volume map[string]any) bool {
		return manifest.Text(manifest.At(volume, "persistentVolumeClaim"), "claimName") == claim
	})
}
