package main

import (
	"encoding/json"
	"reflect"

	"github.com/invopop/jsonschema"

	"zr/pkg/config"
	"zr/pkg/probe"
)

// generate makes config.Schema anew. It reads the comments from the source of
// that package, in dir.
func generate(dir string) ([]byte, error) {
	r := jsonschema.Reflector{
		FieldNameTag:               "yaml",
		RequiredFromJSONSchemaTags: true,
		ExpandedStruct:             true,
		Mapper:                     duration,
	}
	if err := r.AddGoComments("zr/pkg/config", dir); err != nil {
		return nil, err
	}
	s := r.ReflectFromType(reflect.TypeFor[config.Config]())
	s.ID = ""
	s.Title = "zr environment"
	s.Required = []string{"project", "services"}
	for name, of := range s.Definitions {
		lenient(of)
		if name != "Build" { // an empty one builds nothing
			orNothing(of)
		}
	}
	lenient(s)
	service, _ := s.Definitions["Service"].Properties.Get("probe")
	for _, name := range probe.InConfig() {
		service.Enum = append(service.Enum, name)
	}
	out, err := json.MarshalIndent(s, "", "  ")
	return append(out, '\n'), err
}

// lenient lets the fields of a type hold what people write and the loader takes:
// numbers and booleans among settings and in lists of words, and nothing at all
// for keys with values.
func lenient(s *jsonschema.Schema) {
	if s.Properties == nil {
		return
	}
	for field := s.Properties.Oldest(); field != nil; field = field.Next() {
		text(field.Value.Items)
		if values := field.Value.AdditionalProperties; values != nil {
			text(values)
			orNothing(field.Value)
		}
	}
}

// text lets numbers and booleans stand where text does.
func text(s *jsonschema.Schema) {
	if s != nil && s.Type == "string" && len(s.Enum) == 0 {
		oneOf(s, "string", "number", "boolean")
	}
}

func orNothing(s *jsonschema.Schema) {
	if s.Type == "object" {
		oneOf(s, "object", "null")
	}
}

// oneOf sets several types, for which the library has no field.
func oneOf(s *jsonschema.Schema, types ...string) {
	s.Type, s.Extras = "", map[string]any{"type": types}
}

// duration tells editors that a duration is text, as time.ParseDuration reads it. Of
// other types it says nothing.
func duration(t reflect.Type) *jsonschema.Schema {
	if t != reflect.TypeFor[config.Duration]() {
		return nil
	}
	return &jsonschema.Schema{Type: "string", Pattern: `^\+?(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`, Examples: []any{"90s", "3m"}}
}
