package cli

import (
	"strings"
	"testing"

	"zr/internal/testkit"
)

// TestTargetAKS goes as far as one gets without Azure: to who is signed in.
func TestTargetAKS(t *testing.T) {
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential") // the others look outside of this process
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	files := testkit.Project("project: tiny\nservices: {web: {}}\n")
	files["config/shared.yaml"] = "project: tiny\noverlay: kustomize/overlays/dev\nservices: {web: {}}\n" +
		"cluster: {provider: aks, aks: {subscription: s, resourceGroup: group, cluster: team, tenant: example.com}}\n"
	for _, args := range []string{"status --target aks", "diff --env shared", "down --target aks --yes"} {
		code, _, stderr := zr(t, files, strings.Fields(args)...)
		want := `using AKS cluster "team" of resource group "group": signing in to Azure: nobody is signed in on this machine`
		if code != 1 || !strings.Contains(stderr, want) || !strings.Contains(stderr, "az login --tenant example.com") {
			t.Errorf("%s: exit code %d\n%s", args, code, stderr)
		}
	}
	for args, want := range map[string]string{
		"kube-token --server-id x":                "nobody is signed in",
		"kube-token":                              "--server-id says",
		"up --target azure":                       "aks (shared)",
		"images push --env dev":                   "its config names no registry",
		"up --target aks --as mine":               `"team" is one of others`,
		"down --purge --target aks --output json": "add --yes",
	} {
		if code, stdout, stderr := zr(t, files, strings.Fields(args)...); code == 0 || !strings.Contains(stdout+stderr, want) {
			t.Errorf("%s: exit code %d\n%s%s", args, code, stdout, stderr)
		}
	}
}
