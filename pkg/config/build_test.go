package config

import (
	"slices"
	"testing"
)

// TestABuildIsProposed for what a folder holds: each way that there is, the preferred first.
func TestABuildIsProposed(t *testing.T) {
	root := project(t, map[string]string{
		"svc/main.go": "package main\n", "svc/package.json": "{}", "svc/Dockerfile": "",
		"web/package.json": "{}", "a, b/Dockerfile": "", "words/words.go": "package words\n",
	})
	for folder, want := range map[string][]Proposed{
		"svc": {
			{"go", "{go: ./svc}", "its Go files say `package main`"},
			{"node", "{node: svc}", "it has a package.json"},
			{"dockerfile", "{dockerfile: svc/Dockerfile}", "it has a Dockerfile"},
		},
		"web":   {{"node", "{node: web}", "it has a package.json"}},
		"a, b":  {{"dockerfile", `{dockerfile: "a, b/Dockerfile"}`, "it has a Dockerfile"}},
		"words": nil,
	} {
		if got := ProposeBuilds(root, folder); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", folder, got, want)
		}
	}
}
