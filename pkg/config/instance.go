package config

import (
	"cmp"
	"fmt"
	"slices"

	"zr/pkg/fault"
)

// As makes the environment an instance: one of the same project that a checkout
// has for itself beside those of others, in a kind cluster that is called
// <name>-<instance>. Without a name it stays the one that all share.
func (c *Config) As(instance string) error {
	if instance == "" {
		return nil
	}
	refuse := func(hint, text string, args ...any) error {
		return fault.WithCode(fmt.Errorf("making instance %q of %q: "+text, append([]any{instance, c.Set()}, args...)...), fault.Usage, hint)
	}
	name := c.Cluster.Name + "-" + instance
	switch {
	case c.Cluster.Provider != ProviderKind:
		return refuse("give the checkout a config/<env>.yaml with an overlay in a namespace of its own", "it would need a cluster of its own, and %q is one of others", c.Cluster.Called())
	case slices.Contains(Envs(c.Root), c.Env+"-"+instance):
		return refuse("take another one", "config/%s-%s.yaml is an environment of that name", c.Env, instance)
	case !dnsLabel.MatchString(instance):
		return refuse("lower case letters, digits and dashes", "it cannot be part of a cluster's name")
	case len(name) > maxClusterName:
		return refuse("take a shorter one", "its cluster would be called %q, which is longer than the %d characters that fit", name, maxClusterName)
	}
	c.Instance, c.Cluster.Name = instance, name
	return nil
}

// Set names what belongs to the environment: <project>-<env>, with -<instance> or
// -<namespace> where it is one or has one of its own.
func (c *Config) Set() string {
	set := c.Project + "-" + c.Env
	if own := cmp.Or(c.Instance, c.Namespace); own != "" {
		set += "-" + own
	}
	return set
}
