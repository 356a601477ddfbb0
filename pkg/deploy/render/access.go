package render

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Access lets an account of another namespace do in this one what a Role says.
type Access struct {
	Name   string            // of the Role and the RoleBinding
	Role   []byte            // a manifest, of which the rules are taken
	Labels map[string]string // of the RoleBinding

	Account, Namespace string // the ServiceAccount that is let in
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
