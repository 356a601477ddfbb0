package config

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestTheSchemaTakesWhatTheLoaderTakes, so that no editor marks what works.
func TestTheSchemaTakesWhatTheLoaderTakes(t *testing.T) {
	var root schema
	if err := json.Unmarshal(Schema, &root); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		good,
		"project: a\nservices:\n  redis:\n  web: {build: {node: ., dev: }}\nsettings: {A: 8080, B: true, C: 1.5, D: 2026-01-02, E: text}\n",
		"project: a\ncluster:\nservices:\nsettings:\n",
		"project: a\ncluster: {ports: }\nservices: {a: {timeout: +1.5h30m}, b: {timeout: .5s}, c: {timeout: 100us}}\n",
		"project: a\nservices: {a: {build: {dockerfile: web/Dockerfile, flags: [--jobs, 4, true]}}}\n",
	} {
		if _, problems := parse([]byte(text), "c.yaml", project(t, map[string]string{"web/Dockerfile": ""}), "dev"); len(problems) > 0 {
			t.Errorf("the loader takes it no more:\n%s\n%s", text, problems)
		}
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		for _, fault := range root.check(&root, value, "config") {
			t.Errorf("%s\n%s", fault, text)
		}
	}
	for _, text := range []string{"project: a\nservices: {a: {build: }}\n", "project: a\nservices: {a: {probes: x}}\n", "project: a\nservices: {a: {timeout: 3}}\n"} {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if len(root.check(&root, value, "config")) == 0 {
			t.Errorf("taken:\n%s", text)
		}
	}
}

// schema is the part of JSON Schema that Schema uses.
type schema struct {
	Ref         string             `json:"$ref"`
	Definitions map[string]*schema `json:"$defs"`
	Type        any
	Properties  map[string]*schema
	Additional  json.RawMessage `json:"additionalProperties"`
	Items       *schema
	Enum        []string
	Pattern     string
	Required    []string
}

func (s *schema) check(root *schema, value any, path string) []string {
	if s.Ref != "" {
		return root.Definitions[strings.TrimPrefix(s.Ref, "#/$defs/")].check(root, value, path)
	}
	kind, text := "string", fmt.Sprint(value)
	var faults []string
	switch value := value.(type) {
	case nil:
		kind = "null"
	case bool:
		kind = "boolean"
	case int, float64:
		kind = "number"
	case []any:
		kind = "array"
		for i, item := range value {
			faults = append(faults, s.Items.check(root, item, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case map[string]any:
		kind = "object"
		for key, value := range value {
			of := s.Properties[key]
			if of == nil && json.Unmarshal(s.Additional, &of) != nil {
				faults = append(faults, path+": unknown "+key)
				continue
			}
			faults = append(faults, of.check(root, value, path+"."+key)...)
		}
		for _, key := range s.Required {
			if _, ok := value[key]; !ok {
				faults = append(faults, path+": no "+key)
			}
		}
	}
	types := strings.Fields(strings.Trim(fmt.Sprint(s.Type), "[]"))
	if !slices.Contains(types, kind) && !(kind == "number" && slices.Contains(types, "integer")) {
		return append(faults, fmt.Sprintf("%s: %s is not one of %v", path, kind, types))
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) || kind == "string" && s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(text) {
		faults = append(faults, path+": "+text+" is not allowed")
	}
	return faults
}
