package config

import (
	"fmt"

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
