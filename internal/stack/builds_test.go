package stack

import (
	"slices"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/cluster/kind"
	"zr/pkg/config"
)

// TestEveryKindOfTheConfigCanBeBuilt, and nothing else.
func TestEveryKindOfTheConfigCanBeBuilt(t *testing.T) {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	if want := config.Kinds(); !slices.Equal(names, want) {
		t.Errorf("zr builds %v, the config knows %v", names, want)
	}
}

// TestImagesAreForTheNodes that will run them.
func TestImagesAreForTheNodes(t *testing.T) {
	for nodes, want := range map[string]string{
		"linux/other": "linux/other", "linux/other linux/riscv64": "linux/other", "linux/aaa " + hostPlatform: hostPlatform,
	} {
		if got := platformOf(strings.Fields(nodes)); got != want {
			t.Errorf("of %s: %s, want %s", nodes, got, want)
		}
	}
	s := stackOf(t, testkit.Project("project: tiny\nservices: {web: {build: {go: .}}}\n"))
	p := s.unrendered()
	other := p.onPlatform("linux/other")
	for wanted, p := range map[string]*project{kind.Abilities.Platform: p, "linux/other": other.onPlatform("")} {
		if got := p.builds[0].Platform; got != wanted {
			t.Errorf("images are for %q, want %q", got, wanted)
		}
	}
}
