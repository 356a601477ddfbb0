package manifest

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Stage is the place of a kind in the order of an apply. All objects of a
// stage are applied before the first of the next, so that what a pod needs is
// there when the pod is made.
type Stage int

// The stages, in their order.
const (
	StageNamespace Stage = iota
	StageDefinition
	StagePolicy // who may do what, how much of it, and who may talk to whom
	stageConfig
	stageVolume
	stageService
	StageWorkload
	stageScaling // what refers to workloads and services
	StageOther   // custom resources: their operator may be one of the workloads
	Stages       // how many there are
)

// Kind is what is known about a kind of object without asking the server.
type Kind struct {
	schema.GroupVersionKind
	Resource   string // plural name; empty where the server must be asked
	Namespaced bool
	Stage      Stage
	// Keep says that objects hold what cannot be made again: they are never
	// pruned, and removed only on a purge.
	Keep bool
	// Remake says that an object may be deleted and made again when a field
	// that cannot change has changed, since nothing is lost but the process.
	Remake bool
}

// GVR names the resource as the API serves it.
func (k Kind) GVR() schema.GroupVersionResource {
	return k.GroupVersion().WithResource(k.Resource)
}

// Known are the kinds of the Kubernetes API itself. Nobody changes them. Discovery of the whole API
// costs more than everything else that an unchanged run does.
var Known = func() map[schema.GroupVersionKind]Kind {
	table := []struct {
		group, version, kind, resource string
		stage                          Stage
		flags                          string // c: cluster-wide, k: keep, r: remake
	}{
		{"", "v1", "Namespace", "namespaces", StageNamespace, "ck"},
		{"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", StageDefinition, "ck"},

		{"", "v1", "ServiceAccount", "serviceaccounts", StagePolicy, ""},
		{"", "v1", "ResourceQuota", "resourcequotas", StagePolicy, ""},
		{"", "v1", "LimitRange", "limitranges", StagePolicy, ""},
		{"rbac.authorization.k8s.io", "v1", "Role", "roles", StagePolicy, ""},
		{"rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", StagePolicy, "r"},
		{"rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", StagePolicy, "c"},
		{"rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", StagePolicy, "cr"},
		{"networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", StagePolicy, ""},
		{"networking.k8s.io", "v1", "IngressClass", "ingressclasses", StagePolicy, "cr"},
		{"scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", StagePolicy, "cr"},
		{"node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", StagePolicy, "cr"},
		{"storage.k8s.io", "v1", "StorageClass", "storageclasses", StagePolicy, "cr"},

		{"", "v1", "ConfigMap", "configmaps", stageConfig, "r"},
		{"", "v1", "Secret", "secrets", stageConfig, "r"},

		{"", "v1", "PersistentVolume", "persistentvolumes", stageVolume, "ck"},
		{"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", stageVolume, "k"},

		{"", "v1", "Service", "services", stageService, ""},
		{"", "v1", "Endpoints", "endpoints", stageService, ""},
		{"discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", stageService, "r"},

		{"apps", "v1", "Deployment", "deployments", StageWorkload, "r"},
		{"apps", "v1", "StatefulSet", "statefulsets", StageWorkload, ""},
		{"apps", "v1", "DaemonSet", "daemonsets", StageWorkload, "r"},
		{"apps", "v1", "ReplicaSet", "replicasets", StageWorkload, "r"},
		{"batch", "v1", "Job", "jobs", StageWorkload, "r"},
		{"batch", "v1", "CronJob", "cronjobs", StageWorkload, "r"},
		{"", "v1", "Pod", "pods", StageWorkload, "r"},

		{"autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", stageScaling, ""},
		{"policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", stageScaling, "r"},
		{"networking.k8s.io", "v1", "Ingress", "ingresses", stageScaling, ""},
	}
	out := map[schema.GroupVersionKind]Kind{}
	for _, row := range table {
		k := Kind{
			GroupVersionKind: schema.GroupVersionKind{Group: row.group, Version: row.version, Kind: row.kind},
			Resource:         row.resource, Stage: row.stage, Namespaced: true,
		}
		for _, flag := range row.flags {
			switch flag {
			case 'c':
				k.Namespaced = false
			case 'k':
				k.Keep = true
			case 'r':
				k.Remake = true
			}
		}
		out[k.GroupVersionKind] = k
	}
	return out
}()

// The kinds that zr itself speaks of.
var (
	NamespaceKind      = builtin("", "Namespace")
	SecretKind         = builtin("", "Secret")
	ConfigMapKind      = builtin("", "ConfigMap")
	ServiceKind        = builtin("", "Service")
	ServiceAccountKind = builtin("", "ServiceAccount")
	ClaimKind          = builtin("", "PersistentVolumeClaim")
	PodKind            = builtin("", "Pod")
	DeploymentKind     = builtin("apps", "Deployment")
	StatefulSetKind    = builtin("apps", "StatefulSet")
	// DefinitionKind is that of the kinds that a cluster is taught.
	DefinitionKind = builtin("apiextensions.k8s.io", "CustomResourceDefinition")
	// SecretClassKind says which secrets the Secrets Store CSI driver mounts. No pod that
	// mounts them starts before it is there. Only the server knows whether there is a driver.
	SecretClassKind = Kind{
		GroupVersionKind: schema.GroupVersionKind{Group: "secrets-store.csi.x-k8s.io", Version: "v1", Kind: "SecretProviderClass"},
		Namespaced:       true, Stage: stageConfig,
	}
)

func builtin(group, name string) Kind {
	return Known[schema.GroupVersionKind{Group: group, Version: "v1", Kind: name}]
}

// KindOf returns what is known about a kind: from the table, from a definition
// among the manifests, or nothing but a guess that the server corrects.
func KindOf(gvk schema.GroupVersionKind, manifests []*unstructured.Unstructured) Kind {
	if k, ok := Known[gvk]; ok {
		return k
	}
	for _, m := range manifests {
		if m.GetKind() != DefinitionKind.Kind {
			continue
		}
		if k := DefinedBy(m); k.GroupKind() == gvk.GroupKind() {
			k.Version = gvk.Version
			return k
		}
	}
	if gvk == SecretClassKind.GroupVersionKind {
		return SecretClassKind
	}
	return Kind{GroupVersionKind: gvk, Stage: StageOther}
}

// DefinedBy returns the kind that a definition defines, in a version that is
// served.
func DefinedBy(definition *unstructured.Unstructured) Kind {
	spec := At(definition.Object, "spec")
	names := At(spec, "names")
	k := Kind{Resource: Text(names, "plural"), Namespaced: Text(spec, "scope") == "Namespaced", Stage: StageOther}
	k.Group, k.Kind = Text(spec, "group"), Text(names, "kind")
	for _, version := range Items(spec, "versions") {
		if served, _ := version["served"].(bool); served {
			k.Version = Text(version, "name")
		}
	}
	return k
}

// ByGroupKind returns a kind of the table by its name in the parent's
// annotation, whatever its version.
func ByGroupKind(gk schema.GroupKind) (Kind, bool) {
	for gvk, k := range Known {
		if gvk.GroupKind() == gk {
			return k, true
		}
	}
	return Kind{}, false
}
