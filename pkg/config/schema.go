package config

import _ "embed" // of Schema

//go:generate go run zr/hack/schema schema.json

// Schema is the JSON Schema of config/<env>.yaml. It is generated from the
// types of this package and their comments, by hack/schema: what makes it is
// linked into no program.
//
//go:embed schema.json
var Schema []byte
