package render

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"zr/pkg/deploy/manifest"
)

// Access lets an account of another namespace do in this one what a Role says.
type Access struct {
	Name   string            // of the Role and the RoleBinding
	Role   []byte            // a manifest, of which the rules are taken
	Labels map[string]string // of the RoleBinding

	Account, Namespace string            // the ServiceAccount that is let in
	Pods               map[string]string // labels of its pods, which ask those of this namespace how they are
}

// manifests returns the Role and the RoleBinding in a namespace.
func (a *Access) manifests(namespace string) ([]*unstructured.Unstructured, error) {
	var role struct {
		Rules []any `json:"rules"`
	}
	if err := yaml.Unmarshal(a.Role, &role); err != nil {
		return nil, fmt.Errorf("reading the role of %q: %w", a.Name, err)
	}
	labels := map[string]any{}
	for key, value := range a.Labels {
		labels[key] = value
	}
	const group = "rbac.authorization.k8s.io"
	made := []map[string]any{
		{"apiVersion": group + "/v1", "kind": "Role", "metadata": map[string]any{"name": a.Name, "namespace": namespace}, "rules": role.Rules},
		{
			"apiVersion": group + "/v1", "kind": "RoleBinding", "metadata": map[string]any{"name": a.Name, "namespace": namespace, "labels": labels},
			"roleRef":  map[string]any{"apiGroup": group, "kind": "Role", "name": a.Name},
			"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": a.Account, "namespace": a.Namespace}},
		},
	}
	var out []*unstructured.Unstructured
	for _, object := range made {
		m, err := normalise(object)
		if err != nil {
			return nil, fmt.Errorf("making the role of %q: %w", a.Name, err)
		}
		out = append(out, m)
	}
	return out, nil
}

// policies return, for each NetworkPolicy that refuses others, one that lets the pods of
// the account ask the same pods at the ports of readiness probes. They isolate no pod that
// was not isolated: where the project has no policies there are none.
func (a *Access) policies(manifests []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	ports, err := askedPorts(manifests)
	if err != nil || len(ports) == 0 || len(a.Pods) == 0 {
		return nil, err
	}
	labels := map[string]any{}
	for key, value := range a.Pods {
		labels[key] = value
	}
	var out []*unstructured.Unstructured
	for _, m := range manifests {
		types, found, _ := unstructured.NestedStringSlice(m.Object, "spec", "policyTypes")
		if m.GetKind() != "NetworkPolicy" || found && !slices.Contains(types, "Ingress") { // without types it is one of Ingress
			continue
		}
		selector := manifest.At(m.Object, "spec", "podSelector")
		if selector == nil {
			selector = map[string]any{}
		}
		admits, err := normalise(map[string]any{
			"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": map[string]any{"name": a.Name + "-" + m.GetName(), "namespace": m.GetNamespace()},
			"spec": map[string]any{
				"podSelector": maps.Clone(selector), "policyTypes": []any{"Ingress"},
				"ingress": []any{map[string]any{
					"from": []any{map[string]any{
						"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": a.Namespace}},
						"podSelector":       map[string]any{"matchLabels": labels},
					}},
					"ports": ports,
				}},
			},
		})
		if err != nil {
			return nil, fmt.Errorf("letting %q in: %w", a.Name, err)
		}
		out = append(out, admits)
	}
	return out, nil
}

// askedPorts are those of all readiness probes, as a policy names them, sorted.
func askedPorts(manifests []*unstructured.Unstructured) (ports []any, err error) {
	numbers := map[int32]bool{}
	for _, m := range manifests {
		for _, c := range manifest.Items(manifest.At(manifest.PodTemplate(m), "spec"), "containers") {
			asked, err := readiness(c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", manifest.Name(m), err)
			}
			if asked.Port > 0 && asked.Host == "" {
				numbers[asked.Port] = true
			}
		}
	}
	for _, number := range slices.Sorted(maps.Keys(numbers)) {
		ports = append(ports, map[string]any{"protocol": "TCP", "port": int64(number)})
	}
	return ports, nil
}
