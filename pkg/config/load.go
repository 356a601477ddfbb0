package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"zr/pkg/bounded"
	"zr/pkg/fault"
)

// DefaultEnv is the environment of a developer's own machine.
const DefaultEnv = "dev"

// Find returns the root of the project that dir lies in: the nearest folder
// upwards with a config folder that holds at least one .yaml file.
func Find(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the project: %w", err)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() { // one above it may be another project
		return "", fault.WithCode(fmt.Errorf("finding the project: %s is not a folder", dir), fault.Usage, "name one with --project DIR")
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real // the go command and kustomize name files by it
	}
	for at := dir; ; at = filepath.Dir(at) {
		if len(Envs(at)) > 0 {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fault.WithCode(fmt.Errorf("no config/<env>.yaml in %s or above it", dir), fault.Usage,
				"run zr inside a project, or name one with --project DIR")
		}
	}
}

// Locate returns the absolute path of what a user names, which need not exist,
// as it is called in the project at root. A relative name counts from the first
// of dirs from which it leads into the project, otherwise from the first.
func Locate(root, name string, dirs ...string) (string, error) {
	if filepath.IsAbs(name) {
		dirs = []string{""}
	}
	first := ""
	for _, dir := range dirs {
		path, err := filepath.Abs(filepath.Join(dir, name))
		if err != nil {
			return "", fmt.Errorf("finding %q: %w", name, err)
		}
		if below, ok := below(root, path); ok {
			return filepath.Join(root, below), nil
		}
		first = cmp.Or(first, path)
	}
	return first, nil
}

// below returns what of a path is below root, however that is reached.
func below(root, path string) (string, bool) {
	top, err := os.Stat(root)
	if err != nil {
		return "", false
	}
	for at := path; ; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil && os.SameFile(info, top) {
			return strings.TrimPrefix(path, at), true
		}
		if at == filepath.Dir(at) {
			return "", false
		}
	}
}

// Envs returns the names of the environments of the project at root, sorted.
func Envs(root string) []string {
	files, _ := os.ReadDir(filepath.Join(root, "config"))
	var envs []string
	for _, f := range files {
		// An editor's lock or backup begins with a dot.
		if env, ok := strings.CutSuffix(f.Name(), ".yaml"); ok && !strings.HasPrefix(env, ".") {
			envs = append(envs, env)
		}
	}
	slices.Sort(envs)
	return envs
}

// Load reads config/<env>.yaml and its secrets from the project at root,
// fills in the defaults and validates everything. It reports every problem at
// once, as Problems within a fault with exit code 2, and touches nothing. Where
// there is no secrets file the values are those of its example, and
// SecretsMissing says so. So they are while a file is sealed, until Unseal.
func Load(root, env string) (*Config, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("loading config %q: %w", env, err)
	}
	if !dnsLabel.MatchString(env) { // it is part of the cluster's name, and of paths
		return nil, fault.WithCode(fmt.Errorf("%q cannot name an environment", env), fault.Usage, "lower case letters, digits and dashes")
	}
	file := filepath.Join(root, "config", env+".yaml")
	data, err := bounded.ReadFile(file, bounded.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.WithCode(fmt.Errorf("no environment %q: %s does not exist", env, rel(root, file)), fault.Usage,
			Suggest("environments here: "+strings.Join(Envs(root), ", "), env, Envs(root)))
	}
	if err != nil {
		return nil, fault.WithCode(fmt.Errorf("loading config %q: %w", env, err), fault.Usage, "a configuration is a regular file of at most 1 MiB")
	}
	c, problems := parse(data, rel(root, file), root, env)
	if c == nil {
		c = &Config{}
	}
	c.Root, c.Env, c.File = root, env, file
	if problems = append(problems, c.loadSecrets()...); len(problems) > 0 {
		return nil, problems.asFault()
	}
	c.setDefaults()
	return c, nil
}

// parse decodes and validates the file of an environment of the project at dir.
// name is how problems call it.
func parse(data []byte, name, dir, env string) (*Config, Problems) {
	docs, _, err := bounded.Documents(data)
	if much := (*bounded.Problem)(nil); errors.As(err, &much) {
		return nil, Problems{{File: name, Line: much.Line, Column: much.Column, Text: much.Text, Hint: much.Hint}}
	} else if err != nil {
		return nil, syntaxProblem(name, data, err)
	}
	if len(docs) == 0 || len(docs[0].Content) == 0 || docs[0].Content[0].Tag == "!!null" {
		return nil, Problems{{File: name, Line: 1, Column: 1, Text: "the file is empty", Hint: "it needs at least `project:` and `services:`"}}
	}
	root := docs[0].Content[0]
	s := strict{file: name}
	if len(docs) > 1 && len(docs[1].Content) > 0 {
		s.add(docs[1].Content[0], "one file is one environment", "a second document, of which nothing would be read")
	}
	s.merge(root, map[*yaml.Node]bool{})
	s.check(root, typeOfConfig, "")
	// A value of the wrong type does not decode; the rest still does, so that
	// it can be validated and reported in the same go.
	var c Config
	undecoded := root.Decode(&c)
	if root.Kind == yaml.MappingNode {
		v := validator{strict: &s, root: root, dir: dir, env: env}
		v.config(&c)
	}
	if undecoded != nil && len(s.problems) == 0 {
		s.add(root, "", "%v", undecoded)
	}
	return &c, s.problems
}

func (c *Config) setDefaults() {
	if c.Cluster.Provider == "" {
		c.Cluster.Provider = ProviderKind
	}
	if c.Cluster.Provider == ProviderKind { // the others have a cluster already
		c.Cluster.Name = cmp.Or(c.Cluster.Name, clusterName(c.Project, c.Env))
		c.Cluster.Nodes = cmp.Or(c.Cluster.Nodes, 1)
	}
	if c.Overlay == "" {
		c.Overlay = filepath.Join("kustomize", "overlays", c.Env)
	}
}

func clusterName(project, env string) string { return project + "-" + env }

// OverlayDir returns the absolute path of the kustomize folder.
func (c *Config) OverlayDir() string {
	if filepath.IsAbs(c.Overlay) {
		return c.Overlay
	}
	return filepath.Join(c.Root, c.Overlay)
}

func rel(root, path string) string {
	if r, err := filepath.Rel(root, path); err == nil {
		return r
	}
	return path
}
