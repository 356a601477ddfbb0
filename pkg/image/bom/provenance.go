package bom

import "encoding/json"

// StatementType is the media type of a provenance.
const StatementType = "application/vnd.in-toto+json"

// Build is how an image was made.
type Build struct {
	Service string
	Project string
	Spec    any    // what the config says of the build, as JSON
	Inputs  string // the hash of the sources, as the image has it
}

// Provenance returns what an image, by its repository and its digest in hex, was made
// from, as an in-toto statement with a predicate of SLSA 1. It is not signed, and says
// nothing of the machine. Platform is the image's: "linux/amd64".
func Provenance(repository, digest, platform string, b Build) ([]byte, error) {
	type object = map[string]any
	return json.Marshal(object{
		"_type":         "https://in-toto.io/Statement/v1",
		"subject":       []object{{"name": repository, "digest": object{"sha256": digest}}},
		"predicateType": "https://slsa.dev/provenance/v1",
		"predicate": object{
			"buildDefinition": object{
				"buildType":            "https://zr.dev/build/v1",
				"externalParameters":   object{"project": b.Project, "service": b.Service, "build": b.Spec},
				"internalParameters":   object{"platform": platform},
				"resolvedDependencies": []object{{"name": "sources", "digest": object{"zrInputs": b.Inputs}}},
			},
			"runDetails": object{"builder": object{"id": "https://zr.dev/builder/v1"}},
		},
	})
}
