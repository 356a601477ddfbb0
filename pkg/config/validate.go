package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"zr/pkg/probe"
)

// The cluster providers.
const (
	ProviderKind    = "kind"
	ProviderContext = "context"
	ProviderAKS     = "aks"
)

var (
	// A service becomes an object's name, hence RFC 1123; a project becomes
	// part of a cluster's name, which kind limits further.
	dnsLabel    = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	projectName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$`)
	quantity    = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$`)
	settingKey  = regexp.MustCompile(`^[-._a-zA-Z0-9]+$`)
)

// validator checks what types alone cannot say. It finds the place of a value
// by walking the document again, so that no type has to carry positions.
type validator struct {
	*strict
	root *yaml.Node
	dir  string // of the project
	env  string
}

// maxClusterName leaves room in a host name, of at most 63 characters, for what
// kind calls the first node: <name>-control-plane.
const maxClusterName = 63 - len("-control-plane")

func (v *validator) config(c *Config) {
	if project := v.value("project"); v.key("project") == nil {
		v.add(v.root, "the name of the project, for example `project: shop`", "key \"project\" is missing")
	} else if project.Kind == yaml.ScalarNode && project.Tag != "!!null" && !projectName.MatchString(c.Project) {
		v.add(v.value("project"), "lower case letters, digits and dashes, at most 32", "project: %q cannot name a cluster", c.Project)
	}
	if len(c.Services) == 0 && v.key("services") == nil {
		v.add(v.root, "name at least one workload of the overlay", "key \"services\" is missing")
	}
	v.cluster(&c.Cluster)
	if provider := c.Cluster.Provider; c.Dashboard && provider != "" && provider != ProviderKind {
		v.add(v.key("dashboard"), "", "dashboard is only for provider %q", ProviderKind)
	}
	v.clusterName(c)
	for _, name := range sortedKeys(c.Services) {
		v.service(c, name)
	}
	v.cycles(c)
	for _, key := range sortedKeys(c.Settings) {
		if !settingKey.MatchString(key) {
			v.add(v.key("settings", key), settingKeyHint, "settings: %q cannot be a key of a ConfigMap", key)
		}
	}
}

// clusterKeys are the keys of a cluster that not every provider has.
var clusterKeys = map[string][]string{
	"name": {ProviderKind}, "nodes": {ProviderKind}, "nodeImage": {ProviderKind}, "ports": {ProviderKind},
	"context": {ProviderContext}, "aks": {ProviderAKS}, "registry": {ProviderContext, ProviderAKS}, "deltaPush": {ProviderContext, ProviderAKS},
}

func (v *validator) cluster(c *Cluster) {
	v.oneOf(c.Provider, []string{ProviderAKS, ProviderContext, ProviderKind}, "cluster", "provider")
	provider := c.Provider
	if provider != ProviderContext && provider != ProviderAKS {
		provider = ProviderKind
	}
	for _, name := range sortedKeys(clusterKeys) {
		if k, whose := v.key("cluster", name), clusterKeys[name]; k != nil && !slices.Contains(whose, provider) {
			hint := ""
			if whose[0] != ProviderKind {
				hint = "add `provider: " + whose[0] + "`"
			}
			v.add(k, hint, `cluster.%s is only for provider "%s"`, name, strings.Join(whose, `" or "`))
		}
	}
	switch {
	case provider == ProviderContext && c.Context == "":
		v.add(v.value("cluster"), "the one kubeconfig context that zr may touch", "cluster: provider \"context\" needs a context")
	case provider == ProviderAKS:
		v.aks(c.AKS)
	}
	if provider != ProviderKind && c.Registry == "" && slices.ContainsFunc(v.keys("services"), v.builds) {
		v.add(v.value("cluster"), "such as registry.example/team", "cluster: provider %q needs a registry, where the nodes find what is built", provider)
	}
	if n := v.value("cluster", "nodes"); v.key("cluster", "nodes") != nil && n.Tag == "!!int" && (c.Nodes < 1 || c.Nodes > 16) {
		v.add(n, "", "cluster.nodes: %d is not between 1 and 16", c.Nodes)
	}
	taken := map[int]string{}
	for _, name := range sortedKeys(c.Ports) {
		port, at := c.Ports[name], v.value("cluster", "ports", name)
		if at.Tag != "!!int" {
			continue
		}
		if port < 1 || port > 65535 {
			v.add(at, "", "cluster.ports.%s: %d is not a port (1 to 65535)", name, port)
		} else if other, clash := taken[port]; clash {
			v.add(at, "", "cluster.ports.%s: port %d is taken by %s already", name, port, other)
		} else {
			taken[port] = name
		}
	}
}

// azureName is what Azure lets a subscription, resource group, cluster or tenant
// be called. They become part of command lines and of a file's name.
var azureName = regexp.MustCompile(`^[-\w.()]{1,90}$`)

func (v *validator) aks(a AKS) {
	for _, part := range []struct{ key, value, what string }{
		{"subscription", a.Subscription, "the id of its subscription, which `az account list -o table` shows"},
		{"resourceGroup", a.ResourceGroup, "its resource group"},
		{"cluster", a.Cluster, "its name"},
		{"tenant", a.Tenant, ""},
	} {
		switch {
		case part.value == "" && part.what != "":
			v.add(v.value("cluster", "aks"), part.what, "cluster.aks: key %q is missing", part.key)
		case part.value != "" && !azureName.MatchString(part.value):
			v.add(v.value("cluster", "aks", part.key), "", "cluster.aks.%s: %q is no name in Azure", part.key, part.value)
		}
	}
}

func (v *validator) clusterName(c *Config) {
	name, byDefault := c.Cluster.Name, clusterName(c.Project, v.env)
	switch {
	case c.Cluster.Provider == ProviderContext, c.Cluster.Provider == ProviderAKS:
	case name != "" && (!dnsLabel.MatchString(name) || len(name) > maxClusterName):
		v.add(v.value("cluster", "name"), fmt.Sprintf("lower case letters, digits and dashes, at most %d", maxClusterName), "cluster.name: %q cannot name a cluster", name)
	case name == "" && len(byDefault) > maxClusterName && projectName.MatchString(c.Project):
		v.add(v.value("project"), "name it by `cluster: {name: …}`", "the cluster would be called %q, which is longer than the %d characters that fit", byDefault, maxClusterName)
	}
}

func (v *validator) service(c *Config, name string) {
	s := c.Services[name]
	if !dnsLabel.MatchString(name) {
		v.add(v.key("services", name), "lower case letters, digits and dashes", "services: %q cannot name a workload", name)
	}
	v.oneOf(s.Probe, probe.InConfig(), "services", name, "probe")
	known := v.keys("services")
	for i, dep := range s.DependsOn {
		at := v.item(i, "services", name, "dependsOn")
		if dep == name {
			v.add(at, "", "services.%s.dependsOn: a service cannot wait for itself", name)
		} else if !slices.Contains(known, dep) {
			v.add(at, Suggest("services here: "+strings.Join(known, ", "), dep, known), "services.%s.dependsOn: there is no service %q", name, dep)
		}
	}
	if v.builds(name) {
		v.build(name, cmp.Or(s.Build, &Build{}))
	}
}

// cycles reports each cycle of dependsOn once, at the edge that closes it.
func (v *validator) cycles(c *Config) {
	const visiting, done = 1, 2
	state := map[string]int{}
	var path []string
	var visit func(name string)
	visit = func(name string) {
		state[name] = visiting
		path = append(path, name)
		for i, dep := range c.Services[name].DependsOn {
			if _, ok := c.Services[dep]; !ok || dep == name {
				continue
			}
			switch state[dep] {
			case visiting:
				loop := append(slices.Clone(path[slices.Index(path, dep):]), dep)
				v.add(v.item(i, "services", name, "dependsOn"), "", "services.%s.dependsOn: a cycle: %s", name, strings.Join(loop, " → "))
			case 0:
				visit(dep)
			}
		}
		path = path[:len(path)-1]
		state[name] = done
	}
	for _, name := range sortedKeys(c.Services) {
		if state[name] == 0 {
			visit(name)
		}
	}
}

func (v *validator) oneOf(value string, allowed []string, path ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		v.add(v.value(path...), Suggest("one of "+strings.Join(allowed, ", "), value, allowed), "%s: %q is not known", strings.Join(path, "."), value)
	}
}

// key returns the node of the key at path, or nil.
func (v *validator) key(path ...string) *yaml.Node {
	key, _ := find(v.root, path)
	return key
}

// value returns the node of the value at path, or of the nearest enclosing
// value that exists.
func (v *validator) value(path ...string) *yaml.Node {
	for ; len(path) > 0; path = path[:len(path)-1] {
		if _, value := find(v.root, path); value != nil {
			return value
		}
	}
	return v.root
}

// keys returns the names in the mapping at path, sorted, whatever their values.
func (v *validator) keys(path ...string) []string {
	var names []string
	if _, n := find(v.root, path); n != nil && n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			names = append(names, n.Content[i].Value)
		}
	}
	slices.Sort(names)
	return names
}

func (v *validator) item(i int, path ...string) *yaml.Node {
	list := v.value(path...)
	if list.Kind == yaml.SequenceNode && i < len(list.Content) {
		return list.Content[i]
	}
	return list
}

func find(n *yaml.Node, path []string) (key, value *yaml.Node) {
	value = n
	for _, name := range path {
		if value.Kind != yaml.MappingNode {
			return nil, nil
		}
		at := -1
		for i := 0; i+1 < len(value.Content); i += 2 {
			if value.Content[i].Value == name {
				at = i
			}
		}
		if at < 0 {
			return nil, nil
		}
		key, value = value.Content[at], value.Content[at+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
	}
	return key, value
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
