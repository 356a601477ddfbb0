package deploy

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// holders returns the Services that will be pruned and hold a port of the node
// that an object asks for: a Service that was renamed. They have to go first.
func (cs *ChangeSet) holders(o *object) []member {
	var out []member
	for _, m := range cs.pruned {
		if slices.ContainsFunc(nodePorts(m.live), func(port int64) bool { return slices.Contains(nodePorts(o.Unstructured), port) }) {
			out = append(out, m)
		}
	}
	return out
}

// nodePorts returns the ports of the node that a Service names.
func nodePorts(m *unstructured.Unstructured) []int64 {
	var out []int64
	if m.GetKind() == "Service" && m.GroupVersionKind().Group == "" {
		for _, port := range items(at(m.Object, "spec"), "ports") {
			if n, ok := port["nodePort"].(int64); ok {
				out = append(out, n)
			}
		}
	}
	return out
}

// portTaken says whether the server refuses a Service since another one has
// its port of the node.
func portTaken(err error) bool {
	return err != nil && strings.Contains(err.Error(), "provided port is already allocated")
}
