package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"zr/pkg/fault"
)

// In puts the environment into a namespace of somebody's own, beside that of the
// overlay, on a cluster that people share. Without a name it stays where the overlay
// has it.
func (c *Config) In(namespace string) error {
	refuse := func(text, hint string) error {
		return fault.WithCode(fmt.Errorf("putting %q into namespace %q: %s", c.Set(), namespace, text), fault.Usage, hint)
	}
	switch {
	case namespace == "":
		return nil
	case c.Cluster.Provider == ProviderKind:
		return refuse("its cluster is this machine's alone", "`--as` gives a checkout a cluster of its own")
	case !dnsLabel.MatchString(namespace):
		return refuse("that is no name of one", "lower case letters, digits and dashes")
	}
	c.Namespace = namespace
	return nil
}

// OnlyOf leaves the services that are named, for an environment in a namespace of
// somebody's own that takes the others from the one beside it. Without names it has all.
func (c *Config) OnlyOf(services []string) error {
	refuse := func(text, hint string) error {
		return fault.WithCode(fmt.Errorf("running only %s of %q: %s", strings.Join(services, ", "), c.Set(), text), fault.Usage, hint)
	}
	switch {
	case len(services) == 0:
		return nil
	case c.Namespace == "":
		return refuse("the others are to be those of an environment beside it", "`--namespace` names one of your own for it, on a cluster that people share")
	}
	known := slices.Sorted(maps.Keys(c.Services))
	kept := map[string]Service{}
	for _, name := range services {
		service, ok := c.Services[name]
		if !ok {
			return refuse(fmt.Sprintf("it has no service %q", name), Suggest("it has "+strings.Join(known, ", "), name, known))
		}
		service.DependsOn = slices.DeleteFunc(slices.Clone(service.DependsOn), func(other string) bool { return !slices.Contains(services, other) })
		kept[name] = service
	}
	c.Services, c.Only = kept, services
	return nil
}
