package config

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// merge puts the keys that `<<: *base`, or `<<: [*a, *b]`, takes from elsewhere into
// the mappings that have it, as YAML's merge key says. The mapping's own key counts,
// and otherwise the first that has it. All that reads the document afterwards then
// finds them where they count.
func (s *strict) merge(n *yaml.Node, done map[*yaml.Node]bool) {
	if done[n] {
		return
	}
	done[n] = true
	for _, part := range n.Content {
		s.merge(part, done)
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	var kept, sources []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag != "!!merge" {
			kept = append(kept, key, value)
			continue
		}
		from := []*yaml.Node{value}
		if value.Kind == yaml.SequenceNode {
			from = value.Content
		}
		for _, source := range from {
			if source.Kind == yaml.AliasNode {
				source = source.Alias
			}
			if source.Kind != yaml.MappingNode {
				s.add(key, "write `<<: *name`, or `<<: [*a, *b]`", "`<<` takes the keys of a mapping, found %s", describe(source))
				continue
			}
			s.merge(source, done)
			sources = append(sources, source)
		}
	}
	if len(sources) == 0 {
		n.Content = kept
		return
	}
	there := map[string]bool{}
	for i := 0; i < len(kept); i += 2 {
		there[kept[i].Value] = true
	}
	for _, source := range sources {
		for pair := range slices.Chunk(source.Content, 2) {
			if !there[pair[0].Value] {
				there[pair[0].Value] = true
				kept = append(kept, pair...)
			}
		}
	}
	n.Content = kept
}
