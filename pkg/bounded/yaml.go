package bounded

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// The most that a YAML file may hold.
const (
	// MaxNodes bounds the keys and values of a file, aliases expanded: the
	// schemas of all custom resources of a large operator have 150,000.
	MaxNodes = 250_000
	// MaxDepth bounds how deep they are nested. Who writes a document out again
	// indents each level, which makes a deep one as large as the square of it.
	MaxDepth = 200
)

// Problem is why a YAML file is refused. Line and Column count from 1; Line is
// 0 where the file as a whole is meant.
type Problem struct {
	Line, Column int
	Text         string
	Hint         string
}

func (p *Problem) Error() string { return p.Text }

// Documents parses a YAML file, after a look at how much it can hold, and
// returns its documents and how many keys and values they have with all aliases
// expanded. It returns a *Problem for one that holds too much, that is nested
// too deeply or whose aliases expand to too much, and the parser's error, with
// the documents before it, for what is no YAML.
func Documents(data []byte) (docs []*yaml.Node, nodes int, err error) {
	if n := AtMost(data); n > 2*MaxNodes {
		return nil, 0, &Problem{Text: fmt.Sprintf("too much for a YAML file: more than %d keys and values", MaxNodes), Hint: "split it"}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		doc := &yaml.Node{}
		err := decoder.Decode(doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return docs, nodes, err
		}
		docs = append(docs, doc)
	}
	m := measure{sizes: map[*yaml.Node]size{}}
	var all size
	for _, doc := range docs {
		s, err := m.node(doc, 0)
		if err != nil {
			return docs, 0, err
		}
		if all = all.plus(s); all.nodes > MaxNodes || all.bytes > Large {
			return docs, 0, &Problem{Line: doc.Line, Column: doc.Column, Text: all.tooMuch(), Hint: "split the file"}
		}
	}
	return docs, all.nodes, nil
}

// AtMost returns a number that the keys and values of a YAML file do not exceed
// by much, from the characters between them and without a parser, which takes
// some 200 bytes for each of them, however short that is.
func AtMost(data []byte) int {
	n := 0
	for i, c := range data {
		switch c {
		case '\n':
			n++
		case ',', '{', '[':
			n += 2
		case ':', '-', '?':
			if i+1 < len(data) && (data[i+1] == ' ' || data[i+1] == '\t') {
				n++
			}
		}
	}
	return n
}

// size is what a node stands for, with its aliases expanded.
type size struct{ nodes, bytes, depth int }

// plus does not overflow: what is too much stays too much.
func (s size) plus(of size) size {
	const enough = 1 << 40
	return size{min(s.nodes+of.nodes, enough), min(s.bytes+of.bytes, enough), max(s.depth, of.depth)}
}

func (s size) tooMuch() string {
	if s.nodes > MaxNodes {
		return fmt.Sprintf("too much for a YAML file: more than %d keys and values, with its aliases expanded", MaxNodes)
	}
	return fmt.Sprintf("too much for a YAML file: more than %d MiB of text, with its aliases expanded", Large>>20)
}

// measure finds the sizes of nodes, of each once.
type measure struct {
	sizes map[*yaml.Node]size // of nodes with an anchor; one that is being measured has none of its own
}

var aliasHint = "write out what the aliases (*name) stand for"

func (m measure) node(n *yaml.Node, depth int) (size, error) {
	if depth > MaxDepth {
		return size{}, &Problem{Line: n.Line, Column: n.Column, Text: fmt.Sprintf("nested more than %d levels deep", MaxDepth), Hint: "no manifest and no configuration needs that"}
	}
	if n.Kind == yaml.AliasNode {
		s, known := m.sizes[n.Alias]
		switch {
		case !known || s == size{}:
			return size{}, &Problem{Line: n.Line, Column: n.Column, Text: fmt.Sprintf("*%s stands for something that it is part of", n.Value), Hint: aliasHint}
		case depth+s.depth > MaxDepth:
			return size{}, &Problem{Line: n.Line, Column: n.Column, Text: fmt.Sprintf("nested more than %d levels deep, with *%s expanded", MaxDepth, n.Value), Hint: aliasHint}
		}
		return s, nil
	}
	if n.Anchor != "" {
		m.sizes[n] = size{}
	}
	s := size{nodes: 1, bytes: len(n.Value) + len(n.Tag)}
	for _, part := range n.Content {
		of, err := m.node(part, depth+1)
		if err != nil {
			return size{}, err
		}
		of.depth++
		if s = s.plus(of); s.nodes > MaxNodes || s.bytes > Large {
			return size{}, &Problem{Line: part.Line, Column: part.Column, Text: s.tooMuch(), Hint: aliasHint}
		}
	}
	if n.Anchor != "" {
		m.sizes[n] = s
	}
	return s, nil
}

// Twice reports each key of a document that its mapping has already. Of keys
// that are equal, the tools that read manifests take one without a word.
func Twice(n *yaml.Node) (problems []*Problem) {
	first := map[string]*yaml.Node{}
	for i, part := range n.Content {
		problems = append(problems, Twice(part)...)
		if n.Kind != yaml.MappingNode || i%2 == 1 || part.Kind != yaml.ScalarNode {
			continue
		}
		earlier, there := first[part.Value]
		if !there {
			first[part.Value] = part
			continue
		}
		p := &Problem{Line: part.Line, Column: part.Column, Text: fmt.Sprintf("key %q is there already, on line %d", part.Value, earlier.Line),
			Hint: "one of them would be dropped: put what both hold under one"}
		if part.Tag == "!!merge" {
			p.Hint = "write one list: `<<: [*a, *b]`"
		}
		problems = append(problems, p)
	}
	return problems
}
