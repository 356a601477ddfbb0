package config

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// errNotByItself says that a file is written in a way that no line can be added to.
var errNotByItself = errors.New("it is written in a way that nothing can be added to")

// Insert returns a YAML file with entries put behind the last one of a key of its root.
// The entries are indented by two blanks. The lines of the file stay as they are where
// they can; otherwise it is written anew by its nodes, which keep comments and order. What
// comes out was read again: it says what both said, and nothing else.
func Insert(data []byte, key, entries string) ([]byte, error) {
	want, err := joined(data, key, entries)
	if err != nil {
		return nil, err
	}
	for _, way := range []func([]byte, string, string) ([]byte, error){insertLines, insertNodes} {
		out, err := way(data, key, entries)
		if err != nil {
			continue
		}
		if bytes.Contains(data, []byte("\r\n")) { // its lines end as those of Windows
			out = bytes.ReplaceAll(bytes.ReplaceAll(out, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		}
		var got any
		if yaml.Unmarshal(out, &got) == nil && reflect.DeepEqual(got, want) {
			return out, nil
		}
	}
	return nil, errNotByItself
}

// joined is what a file says with the entries.
func joined(data []byte, key, entries string) (any, error) {
	var has, more map[string]any
	if err := errors.Join(yaml.Unmarshal(data, &has), yaml.Unmarshal([]byte(key+":\n"+entries), &more)); err != nil {
		return nil, err
	}
	if has == nil {
		has = map[string]any{}
	}
	switch old := has[key].(type) {
	case nil:
		has[key] = more[key]
	case []any:
		added, is := more[key].([]any)
		if !is {
			return nil, errNotByItself
		}
		has[key] = append(old, added...)
	case map[string]any:
		added, is := more[key].(map[string]any)
		if !is {
			return nil, errNotByItself
		}
		for name, value := range added {
			if _, taken := old[name]; taken {
				return nil, errNotByItself
			}
			old[name] = value
		}
	default:
		return nil, errNotByItself
	}
	return any(has), nil
}

// insertLines adds lines.
func insertLines(data []byte, key, entries string) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	lines := strings.SplitAfter(string(data), "\n")
	if last := len(lines) - 1; lines[last] != "" {
		lines[last] += "\n"
	} else {
		lines = lines[:last]
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errNotByItself
	}
	root := doc.Content[0].Content
	for i := 0; i+1 < len(root); i += 2 {
		if root[i].Value != key {
			continue
		}
		value, at := root[i+1], root[i].Line // behind the key's own line, where it has no value
		if len(value.Content) > 0 {
			end := len(lines) + 1
			if i+2 < len(root) {
				end = root[i+2].Line
			}
			at = lastLine(lines, value.Content[len(value.Content)-1].Line, end)
			entries = indented(dedented(entries), strings.Repeat(" ", value.Column-1))
		}
		return []byte(strings.Join(slices.Insert(lines, at, entries), "")), nil
	}
	return []byte(strings.Join(append(lines, key+":\n"+entries), "")), nil
}

// dedented is a text with each of its lines moved out by two blanks.
func dedented(entries string) string {
	var b strings.Builder
	for line := range strings.Lines(entries) {
		b.WriteString(strings.TrimPrefix(line, "  "))
	}
	return b.String()
}

// indented is a text with each of its lines moved in.
func indented(text, by string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(by + line)
	}
	return b.String()
}

// insertNodes writes the file anew.
func insertNodes(data []byte, key, entries string) ([]byte, error) {
	var doc, more yaml.Node
	if err := errors.Join(yaml.Unmarshal(data, &doc), yaml.Unmarshal([]byte(key+":\n"+entries), &more)); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errNotByItself
	}
	root := doc.Content[0]
	for i := 0; i+1 < len(root.Content); i += 2 {
		if value := root.Content[i+1]; root.Content[i].Value == key {
			value.Kind, value.Tag, value.Value = more.Content[0].Content[1].Kind, "", ""
			value.Content = append(value.Content, more.Content[0].Content[1].Content...)
			if value.Style&yaml.FlowStyle != 0 { // its comment was behind it, and is above it then
				value.Style &^= yaml.FlowStyle
				root.Content[i].LineComment, value.LineComment = value.LineComment, ""
			}
		}
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&doc); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}
