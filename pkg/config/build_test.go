package config

import "testing"

// TestABuildIsProposed for what a folder holds: the first kind counts, whatever else
// lies there.
func TestABuildIsProposed(t *testing.T) {
	root := project(t, map[string]string{
		"svc/main.go": "package main\n", "svc/package.json": "{}", "svc/Dockerfile": "",
		"web/package.json": "{}", "web/Dockerfile": "", "a, b/Dockerfile": "", "words/words.go": "package words\n",
	})
	for folder, want := range map[string][3]string{
		"svc":   {"go", "{go: ./svc}", "its Go files say `package main`"},
		"web":   {"node", "{node: web}", "it has a package.json"},
		"a, b":  {"dockerfile", `{dockerfile: "a, b/Dockerfile"}`, "it has a Dockerfile"},
		"words": {},
	} {
		kind, keys, because := ProposeBuild(root, folder)
		if got := [3]string{kind, keys, because}; got != want {
			t.Errorf("%s: got %q, want %q", folder, got, want)
		}
	}
}
