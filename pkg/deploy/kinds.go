package deploy

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// stage is the place of a kind in the order of an apply. All objects of a
// stage are applied before the first of the next, so that what a pod needs is
// there when the pod is made.
type stage int

const (
	stageNamespace stage = iota
	stageDefinition
	stagePolicy // who may do what, how much of it, and who may talk to whom
	stageConfig
	stageVolume
	stageService
	stageWorkload
	stageScaling // what refers to workloads and services
	stageOther   // custom resources: their operator may be one of the workloads
	stages
)

// kind is what is known about a kind of object without asking the server.
type kind struct {
	schema.GroupVersionKind
	resource   string // plural name; empty where the server must be asked
	namespaced bool
	stage      stage
	// keep says that objects hold what cannot be made again: they are never
	// pruned, and removed only on a purge.
	keep bool
	// remake says that an object may be deleted and made again when a field
	// that cannot change has changed, since nothing is lost but the process.
	remake bool
}

func (k kind) gvr() schema.GroupVersionResource {
	return k.GroupVersion().WithResource(k.resource)
}

// known are the kinds of the Kubernetes API itself. Discovery of the whole API
// costs more than everything else that an unchanged run does.
var known = func() map[schema.GroupVersionKind]kind {
	table := []struct {
		group, version, kind, resource string
		stage                          stage
		flags                          string // c: cluster-wide, k: keep, r: remake
	}{
		{"", "v1", "Namespace", "namespaces", stageNamespace, "ck"},
		{"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", stageDefinition, "ck"},

		{"", "v1", "ServiceAccount", "serviceaccounts", stagePolicy, ""},
		{"", "v1", "ResourceQuota", "resourcequotas", stagePolicy, ""},
		{"", "v1", "LimitRange", "limitranges", stagePolicy, ""},
		{"rbac.authorization.k8s.io", "v1", "Role", "roles", stagePolicy, ""},
		{"rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", stagePolicy, "r"},
		{"rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", stagePolicy, "c"},
		{"rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", stagePolicy, "cr"},
		{"networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", stagePolicy, ""},
		{"networking.k8s.io", "v1", "IngressClass", "ingressclasses", stagePolicy, "cr"},
		{"scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", stagePolicy, "cr"},
		{"node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", stagePolicy, "cr"},
		{"storage.k8s.io", "v1", "StorageClass", "storageclasses", stagePolicy, "cr"},

		{"", "v1", "ConfigMap", "configmaps", stageConfig, "r"},
		{"", "v1", "Secret", "secrets", stageConfig, "r"},

		{"", "v1", "PersistentVolume", "persistentvolumes", stageVolume, "ck"},
		{"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", stageVolume, "k"},

		{"", "v1", "Service", "services", stageService, ""},
		{"", "v1", "Endpoints", "endpoints", stageService, ""},
		{"discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", stageService, "r"},

		{"apps", "v1", "Deployment", "deployments", stageWorkload, "r"},
		{"apps", "v1", "StatefulSet", "statefulsets", stageWorkload, ""},
		{"apps", "v1", "DaemonSet", "daemonsets", stageWorkload, "r"},
		{"apps", "v1", "ReplicaSet", "replicasets", stageWorkload, "r"},
		{"batch", "v1", "Job", "jobs", stageWorkload, "r"},
		{"batch", "v1", "CronJob", "cronjobs", stageWorkload, "r"},
		{"", "v1", "Pod", "pods", stageWorkload, "r"},

		{"autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", stageScaling, ""},
		{"policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", stageScaling, "r"},
		{"networking.k8s.io", "v1", "Ingress", "ingresses", stageScaling, ""},
	}
	out := map[schema.GroupVersionKind]kind{}
	for _, row := range table {
		k := kind{
			GroupVersionKind: schema.GroupVersionKind{Group: row.group, Version: row.version, Kind: row.kind},
			resource:         row.resource, stage: row.stage, namespaced: true,
		}
		for _, flag := range row.flags {
			switch flag {
			case 'c':
				k.namespaced = false
			case 'k':
				k.keep = true
			case 'r':
				k.remake = true
			}
		}
		out[k.GroupVersionKind] = k
	}
	return out
}()

// kindOf returns what is known about a kind: from the table, from a definition
// among the manifests, or nothing but a guess that the server corrects.
func kindOf(gvk schema.GroupVersionKind, manifests []*unstructured.Unstructured) kind {
	if k, ok := known[gvk]; ok {
		return k
	}
	for _, m := range manifests {
		if m.GetKind() != definitionKind.Kind {
			continue
		}
		if k := definedBy(m); k.GroupKind() == gvk.GroupKind() {
			k.Version = gvk.Version
			return k
		}
	}
	return kind{GroupVersionKind: gvk, stage: stageOther}
}

// definedBy returns the kind that a definition defines, in a version that is
// served.
func definedBy(definition *unstructured.Unstructured) kind {
	spec := at(definition.Object, "spec")
	names := at(spec, "names")
	k := kind{resource: text(names, "plural"), namespaced: text(spec, "scope") == "Namespaced", stage: stageOther}
	k.Group, k.Kind = text(spec, "group"), text(names, "kind")
	for _, version := range items(spec, "versions") {
		if served, _ := version["served"].(bool); served {
			k.Version = text(version, "name")
		}
	}
	return k
}

// byGroupKind returns a kind of the table by its name in the parent's
// annotation, whatever its version.
func byGroupKind(gk schema.GroupKind) (kind, bool) {
	for gvk, k := range known {
		if gvk.GroupKind() == gk {
			return k, true
		}
	}
	return kind{}, false
}
