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

// TestImagesAreForTheNodes that will run them: one image of each service where they are
// all alike, and one for each platform, as far as zr can make it, where they are not.
func TestImagesAreForTheNodes(t *testing.T) {
	for nodes, want := range map[string]string{
		"linux/other": "linux/other", "linux/other linux/riscv64": "linux/other linux/riscv64", "linux/aaa " + hostPlatform: hostPlatform + " linux/aaa",
	} {
		if got := strings.Join(ownFirst(strings.Fields(nodes)), " "); got != want {
			t.Errorf("of %s: %s, want %s", nodes, got, want)
		}
	}
	s := stackOf(t, testkit.Project("project: tiny\nservices:\n  web: {build: {go: .}}\n  based: {build: {go: ., base: \"alpine:3\"}}\n"))
	p := s.unrendered()
	other := p.onPlatforms([]string{"linux/other"})
	for wanted, p := range map[string]*project{kind.Abilities.Platform: p, "linux/other": other.onPlatforms(nil)} {
		if got := p.builds[0].Platform; got != wanted || len(p.beside()) > 0 {
			t.Errorf("images are for %q and %v, want %q", got, p.beside(), wanted)
		}
	}
	beside := p.onPlatforms([]string{"linux/amd64", "linux/arm64", "linux/riscv64"}).beside()
	var made []string
	for _, r := range beside {
		made = append(made, r.Service+" "+r.Platform)
	}
	if want := []string{"web linux/arm64", "web linux/riscv64"}; !slices.Equal(made, want) {
		t.Errorf("beside the first are made %v, want %v", made, want)
	}
}
