package overlay

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/bounded"
)

// Locate finds where an object, or a field of it such as
// "spec.template.spec.containers[0].image", is written. It returns "file:line:column:
// ", or "" where it is not found: kustomize may have put it together from several
// files. It is called for messages only.
func Locate(files []string, m *unstructured.Unstructured, field string) string {
	best := ""
	for _, file := range files {
		data, err := bounded.ReadFile(file, bounded.Large)
		if err != nil {
			continue
		}
		docs, _, _ := bounded.Documents(data)
		for _, doc := range docs {
			if len(doc.Content) == 0 || !isManifestOf(doc.Content[0], m) {
				continue
			}
			node := doc.Content[0]
			if found := descend(node, field); field != "" && found != nil {
				return position(file, found)
			}
			if best == "" {
				best = position(file, node)
			}
		}
	}
	return best
}

func position(file string, n *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d: ", file, n.Line, n.Column)
}

// isManifestOf compares kind and name only: an overlay may add a namespace.
func isManifestOf(n *yaml.Node, m *unstructured.Unstructured) bool {
	_, kind := entry(n, "kind")
	_, meta := entry(n, "metadata")
	if kind == nil || meta == nil || kind.Value != m.GetKind() {
		return false
	}
	_, name := entry(meta, "name")
	return name != nil && name.Value == m.GetName()
}

// descend returns the key of the field that a path leads to.
func descend(n *yaml.Node, path string) *yaml.Node {
	var key *yaml.Node
	for _, part := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if n == nil {
			return nil
		}
		if i, err := strconv.Atoi(part); err == nil && n.Kind == yaml.SequenceNode {
			if i >= len(n.Content) {
				return nil
			}
			n, key = n.Content[i], n.Content[i]
			continue
		}
		if key, n = entry(n, part); key == nil {
			return nil
		}
	}
	return key
}

// entry returns a key of a mapping and its value.
func entry(n *yaml.Node, key string) (*yaml.Node, *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// Quoted returns the first Quoted part of a message.
func Quoted(text string) string {
	_, rest, _ := strings.Cut(text, `"`)
	field, _, _ := strings.Cut(rest, `"`)
	return field
}
