package config

import (
	_ "embed"
	"encoding/json"

	"github.com/invopop/jsonschema"
)

//go:generate go run zr/hack/schema schema.json

// Schema is the JSON Schema of config/<env>.yaml. It is generated from the
// types of this package and their comments.
//
//go:embed schema.json
var Schema []byte

// GenerateSchema makes Schema anew. It reads the comments from the source of
// this package, in dir.
func GenerateSchema(dir string) ([]byte, error) {
	r := jsonschema.Reflector{
		FieldNameTag:               "yaml",
		RequiredFromJSONSchemaTags: true,
		ExpandedStruct:             true,
	}
	if err := r.AddGoComments("zr/pkg/config", dir); err != nil {
		return nil, err
	}
	s := r.ReflectFromType(typeOfConfig)
	s.ID = ""
	s.Title = "zr environment"
	s.Required = []string{"project", "services"}
	out, err := json.MarshalIndent(s, "", "  ")
	return append(out, '\n'), err
}
