package config

import (
	"slices"
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

func TestOnlyOfSomeServices(t *testing.T) {
	shop := func() *Config {
		return &Config{Project: "shop", Env: "staging", Cluster: Cluster{Provider: ProviderAKS}, Namespace: "ann", Services: map[string]Service{
			"api": {DependsOn: []string{"postgres", "worker"}}, "worker": {}, "postgres": {},
		}}
	}
	c := shop()
	if err := c.OnlyOf(nil); err != nil || len(c.Services) != 3 {
		t.Errorf("%v, %v", err, c.Services)
	}
	if err := c.OnlyOf([]string{"api", "worker"}); err != nil || len(c.Services) != 2 || !slices.Equal(c.Services["api"].DependsOn, []string{"worker"}) {
		t.Errorf("%v, %v", err, c.Services)
	}
	if err := shop().OnlyOf([]string{"apy"}); fault.Code(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "api") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
	c = shop()
	c.Namespace = ""
	if err := c.OnlyOf([]string{"api"}); fault.Code(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "--namespace") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
}
