package probe

import (
	"slices"
	"testing"
)

// TestKinds holds what those who read the list rely on.
func TestKinds(t *testing.T) {
	names, protocols := map[string]bool{}, map[string]bool{}
	for _, k := range Kinds {
		if names[k.Name] || k.Name == "" {
			t.Errorf("%q is listed twice, or has no name", k.Name)
		}
		names[k.Name] = true
		if (len(k.Protocols) > 0 || k.Opening != nil || len(k.Secrets) > 0) && !k.Port {
			t.Errorf("%s knows servers, and asks no port", k.Name)
		}
		for _, p := range k.Protocols {
			if protocols[p] || Speaking(p).Name != k.Name {
				t.Errorf("ports called %q are of %s and of %s", p, k.Name, Speaking(p).Name)
			}
			protocols[p] = true
		}
		if Of(k.Name).Name != k.Name || slices.Contains(InConfig(), k.Name) != k.InConfig {
			t.Errorf("%s is not found", k.Name)
		}
	}
	if Of("icmp").Name != "" || Speaking("smtp").Name != "" {
		t.Error("a kind is found that is not listed")
	}
}
