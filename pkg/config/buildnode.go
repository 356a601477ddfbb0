package config

// NodeKeys are the keys of a Node.js service.
type NodeKeys struct {
	// Node is a folder with package.json and a lock file.
	Node string `yaml:"node,omitempty" json:"node,omitempty"`
}

func (k NodeKeys) kind() string { return "node" }
func (k NodeKeys) picked() bool { return k.Node != "" }
func (k NodeKeys) noun() string { return "a Node.js service" }

func (k NodeKeys) validate(v *validator, service string) { v.exists(k.Node, "folder", service, "node") }

// check leaves the folder to npm.
func (k NodeKeys) check(*Build, string, func(key, text, hint string)) {}

func (k NodeKeys) proposed(root, folder string) (keys, because string) {
	return proposedFor(root, folder, "package.json", "{node: "+inBraces(folder)+"}")
}
