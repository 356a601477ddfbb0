package config

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// editSettings returns the text of a configuration with other settings. Only the lines
// of entries that differ are touched, where `settings` is written with an entry on each
// line. Otherwise the whole file is written anew by its nodes, which keep comments and
// order and lose the layout. The caller checks what came out.
func editSettings(data []byte, settings map[string]string) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	e := &settingsEdit{lines: strings.SplitAfter(string(data), "\n"), wanted: maps.Clone(settings)}
	root := doc.Content[0]
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "settings" {
			continue
		}
		e.key, e.value, e.end = root.Content[i], root.Content[i+1], len(e.lines)+1
		if i+2 < len(root.Content) {
			e.end = root.Content[i+2].Line
		}
	}
	if e.byLines(root) {
		return []byte(strings.Join(e.lines, "")), nil
	}
	return byNodes(&doc, root, e.value, settings)
}

// settingsEdit edits the lines of a file.
type settingsEdit struct {
	lines      []string
	wanted     map[string]string // what is still to be written
	key, value *yaml.Node        // `settings` and what it says; nil where there is none
	end        int               // the line behind them, from 1
}

// byLines edits the lines, and says whether they are such that it can.
func (e *settingsEdit) byLines(root *yaml.Node) bool {
	if root.Style&yaml.FlowStyle != 0 || e.value != nil && (e.value.Style&yaml.FlowStyle != 0 || e.value.Kind == yaml.AliasNode || e.value.Anchor != "") {
		return false
	}
	last := len(e.lines)
	if last > 0 && e.lines[last-1] != "" && !strings.HasSuffix(e.lines[last-1], "\n") {
		e.lines[last-1] += "\n"
	}
	switch {
	case e.value == nil:
		e.lines = append(e.lines, "settings:\n"+e.entries("  "))
		return true
	case e.value.Kind == yaml.MappingNode && len(e.value.Content) > 0:
		return e.mapping()
	case e.value.Tag == "!!null" && e.value.Value == "":
		e.lines[e.key.Line-1] += e.entries("  ")
		return true
	}
	return false
}

// mapping edits the entries of `settings`.
func (e *settingsEdit) mapping() bool {
	entries := e.value.Content
	behind := e.end
	for i := len(entries) - 2; i >= 0; i -= 2 { // from the last, so that lines above stay where they are
		key, value := entries[i], entries[i+1]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" || value.Kind != yaml.ScalarNode || value.Anchor != "" {
			return false
		}
		from, to := key.Line-1, lastLine(e.lines, key.Line, behind)
		behind = key.Line
		wanted, stays := e.wanted[key.Value]
		delete(e.wanted, key.Value)
		insert := i == len(entries)-2
		switch {
		case !stays:
			e.lines = slices.Delete(e.lines, from, to)
			to = from
		case wanted != value.Value || value.Tag == "!!null":
			e.lines = slices.Replace(e.lines, from, to, e.entry(from, to, value, key.Value, wanted))
			to = from + 1
		}
		if insert {
			at := to
			defer func() { e.insert(at, strings.Repeat(" ", key.Column-1)) }()
		}
	}
	return true
}

// lastLine is the line behind an entry that begins on a line, where the next one, or
// what follows, begins on another; blank lines and comments between them are not the
// entry's.
func lastLine(lines []string, first, behind int) int {
	last := min(behind-1, len(lines))
	for last > first {
		line := strings.TrimSpace(lines[last-1])
		if line != "" && !strings.HasPrefix(line, "#") && line != "---" && line != "..." {
			break
		}
		last--
	}
	return last
}

// entry returns the line of an entry with another value: the same line up to the value
// and, where the value was on one line, from behind it.
func (e *settingsEdit) entry(from, to int, value *yaml.Node, key, wanted string) string {
	line := []rune(strings.TrimRight(e.lines[from], "\r\n"))
	if value.Line-1 != from || value.Column-1 > len(line) {
		indent := len(line) - len([]rune(strings.TrimLeft(string(line), " ")))
		return strings.Repeat(" ", indent) + scalar(key, nil) + ": " + scalar(wanted, value) + "\n"
	}
	before, rest := string(line[:value.Column-1]), ""
	if value.Column-1 > 0 && line[value.Column-2] == ':' {
		before += " "
	}
	if to == from+1 {
		rest = behindScalar(string(line[value.Column-1:]))
	}
	return before + scalar(wanted, value) + rest + "\n"
}

// behindScalar is what follows a scalar on its line: a comment, with the blanks before
// it.
func behindScalar(text string) string {
	end := len(text)
	switch {
	case strings.HasPrefix(text, "'"):
		end = 1
		for end < len(text) && (text[end] != '\'' || strings.HasPrefix(text[end:], "''")) {
			if end++; text[end-1] == '\'' {
				end++
			}
		}
		end++
	case strings.HasPrefix(text, `"`):
		end = 2 + max(0, closing(text[1:], '"'))
	case strings.Contains(text, " #"):
		end = strings.Index(text, " #")
		end = len(strings.TrimRight(text[:end], " "))
	}
	return text[min(end, len(text)):]
}

// insert puts what is still to be written at a place.
func (e *settingsEdit) insert(at int, indent string) {
	if len(e.wanted) > 0 {
		e.lines = slices.Insert(e.lines, at, e.entries(indent))
	}
}

// entries are the lines of what is still to be written.
func (e *settingsEdit) entries(indent string) string {
	var b strings.Builder
	for _, key := range sortedKeys(e.wanted) {
		b.WriteString(indent + scalar(key, nil) + ": " + scalar(e.wanted[key], nil) + "\n")
	}
	clear(e.wanted)
	return b.String()
}

// scalar writes a text as YAML that is read as the same text. A number or truth value
// that takes the place of one (was) stays without quotes.
func scalar(text string, was *yaml.Node) string {
	if was != nil && was.Style == 0 && was.Tag != "!!str" && was.Tag != "!!null" {
		var now yaml.Node
		if yaml.Unmarshal([]byte(text), &now) == nil && len(now.Content) == 1 && now.Content[0].Tag == was.Tag && now.Content[0].Value == text {
			return text
		}
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if strings.ContainsAny(text, "\n\r") {
		node.Style = yaml.DoubleQuotedStyle
	}
	out, err := yaml.Marshal(node)
	if err != nil {
		panic(err) // it is a text
	}
	return strings.TrimRight(string(out), "\n")
}

// byNodes writes a file anew with other settings.
func byNodes(doc, root, value *yaml.Node, settings map[string]string) ([]byte, error) {
	text := func(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
	if value == nil {
		value = &yaml.Node{}
		root.Content = append(root.Content, text("settings"), value)
	}
	if value.Kind != yaml.MappingNode {
		*value = yaml.Node{Kind: yaml.MappingNode, HeadComment: value.HeadComment, LineComment: value.LineComment, FootComment: value.FootComment}
	}
	wanted := maps.Clone(settings)
	var kept []*yaml.Node
	for i := 0; i+1 < len(value.Content); i += 2 {
		key, old := value.Content[i], value.Content[i+1]
		now, stays := wanted[key.Value]
		if delete(wanted, key.Value); !stays {
			continue
		}
		if old.Kind != yaml.ScalarNode || old.Value != now {
			replaced := text(now)
			replaced.LineComment = old.LineComment
			old = replaced
		}
		kept = append(kept, key, old)
	}
	for _, key := range sortedKeys(wanted) {
		kept = append(kept, text(key), text(wanted[key]))
	}
	value.Content = kept
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(doc); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}
