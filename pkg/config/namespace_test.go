package config

import (
	"strings"
	"testing"

	"zr/pkg/fault"
)

func TestInANamespaceOfOnesOwn(t *testing.T) {
	on := func(provider string) *Config {
		return &Config{Project: "shop", Env: "staging", Cluster: Cluster{Provider: provider, Context: "team"}}
	}
	c := on(ProviderContext)
	if err := c.In(""); err != nil || c.Set() != "shop-staging" {
		t.Errorf("%v, %q", err, c.Set())
	}
	if err := c.In("ann"); err != nil || c.Set() != "shop-staging-ann" || c.Namespace != "ann" {
		t.Errorf("%v, %q in %q", err, c.Set(), c.Namespace)
	}
	for namespace, provider := range map[string]string{"ann": ProviderKind, "Ann": ProviderAKS, strings.Repeat("a", 64): ProviderAKS} {
		if err := on(provider).In(namespace); fault.Code(err) != fault.Usage || fault.HintOf(err) == "" {
			t.Errorf("%q on %s: %v", namespace, provider, err)
		}
	}
}
