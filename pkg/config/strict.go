package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

var (
	typeOfConfig   = reflect.TypeFor[Config]()
	typeOfDuration = reflect.TypeFor[Duration]()
)

// strict walks a YAML document beside the Go type that it should decode into
// and notes every key that the type does not have and every value of another
// type. (The decoder's own strict mode stops at the structure's first error
// and names no column.)
type strict struct {
	file     string
	problems Problems
}

func (s *strict) add(n *yaml.Node, hint, format string, args ...any) {
	s.problems = append(s.problems, Problem{
		File: s.file, Line: n.Line, Column: n.Column, Text: fmt.Sprintf(format, args...), Hint: hint,
	})
}

func (s *strict) check(n *yaml.Node, t reflect.Type, path string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Tag == "!!null" && t.Kind() != reflect.Struct && t.Kind() != reflect.Map {
		s.add(n, "", "%s has no value", path)
		return
	}
	switch {
	case t == typeOfDuration:
		if d, err := time.ParseDuration(n.Value); n.Kind != yaml.ScalarNode || err != nil || d <= 0 {
			s.add(n, `write it like "90s" or "3m"`, "%s: %s is not a duration", path, describe(n))
		}
	case t.Kind() == reflect.Struct:
		s.checkStruct(n, t, path)
	case t.Kind() == reflect.Map:
		if s.isMapping(n, path) {
			s.eachKey(n, path, func(key, value *yaml.Node) { s.check(value, t.Elem(), join(path, key.Value)) })
		}
	case t.Kind() == reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			s.add(n, "write it as [a, b]", "%s: expected a list, found %s", path, describe(n))
			return
		}
		for i, item := range n.Content {
			s.check(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
		}
	case t.Kind() == reflect.Int:
		if _, err := strconv.Atoi(n.Value); n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil {
			s.add(n, "", "%s: expected a whole number, found %s", path, describe(n))
		}
	case t.Kind() == reflect.Bool:
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			s.add(n, "true or false", "%s: expected true or false, found %s", path, describe(n))
		}
	case t.Kind() == reflect.String:
		if n.Kind != yaml.ScalarNode {
			s.add(n, "", "%s: expected text, found %s", path, describe(n))
		}
	}
}

func (s *strict) checkStruct(n *yaml.Node, t reflect.Type, path string) {
	if !s.isMapping(n, path) {
		return
	}
	fields := fieldsOf(t)
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	s.eachKey(n, path, func(key, value *yaml.Node) {
		field, ok := fields[key.Value]
		if !ok {
			s.add(key, Suggest("known here: "+strings.Join(names, ", "), key.Value, names), "unknown key %q%s", key.Value, in(path))
			return
		}
		s.check(value, field, join(path, key.Value))
	})
}

// isMapping accepts an absent value too: `postgres:` alone is an entry that
// says nothing.
func (s *strict) isMapping(n *yaml.Node, path string) bool {
	if n.Tag == "!!null" {
		return false
	}
	if n.Kind != yaml.MappingNode {
		if path == "" {
			path = "the file"
		}
		s.add(n, "", "%s: expected keys with values, found %s", path, describe(n))
		return false
	}
	return true
}

// eachKey takes out what cannot be a key here, so that the decoder, which would
// give up the whole mapping, still reads the rest.
func (s *strict) eachKey(n *yaml.Node, path string, f func(key, value *yaml.Node)) {
	first := map[string]*yaml.Node{}
	var kept []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!null" {
			s.add(key, "", "a key%s must be plain text", in(path))
			continue
		}
		if earlier, twice := first[key.Value]; twice {
			s.add(key, "", "key %q%s is there already, on line %d", key.Value, in(path), earlier.Line)
			continue
		}
		first[key.Value] = key
		kept = append(kept, key, value)
		f(key, value)
	}
	n.Content = kept
}

// fieldsOf returns the YAML keys of a struct and the types of their values.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		switch {
		case t.Field(i).Anonymous: // its keys stand beside the others
			maps.Copy(fields, fieldsOf(t.Field(i).Type))
		case name != "" && name != "-":
			fields[name] = t.Field(i).Type
		}
	}
	return fields
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	default:
		return strconv.Quote(n.Value)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}
