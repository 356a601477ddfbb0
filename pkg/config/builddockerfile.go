package config

import "path"

// DockerfileKeys are the keys of an image that a Dockerfile describes.
type DockerfileKeys struct {
	// Dockerfile is a path; the engine builds it with its folder as context.
	Dockerfile string `yaml:"dockerfile,omitempty" json:"dockerfile,omitempty"`
	// Context is the folder that a Dockerfile is built in. Default: the Dockerfile's.
	Context string `yaml:"context,omitempty" json:"context,omitempty"`
}

func (k DockerfileKeys) kind() string { return "dockerfile" }
func (k DockerfileKeys) picked() bool { return k.Dockerfile != "" }
func (k DockerfileKeys) noun() string { return "a dockerfile" }

func (k DockerfileKeys) validate(v *validator, service string) {
	v.exists(k.Dockerfile, "file", service, "dockerfile")
	v.exists(k.Context, "folder", service, "context")
}

// check leaves the Dockerfile to the engine.
func (k DockerfileKeys) check(*Build, string, func(key, text, hint string)) {}

func (k DockerfileKeys) proposed(root, folder string) (keys, because string) {
	return proposedFor(root, folder, "Dockerfile", "{dockerfile: "+inBraces(path.Join(folder, "Dockerfile"))+"}")
}
