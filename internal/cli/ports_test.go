package cli

import (
	"strings"
	"testing"

	"zr/internal/testkit"
)

// A Service whose endpoints somebody writes by hand has no pods of which zr knows.
func TestAPortOfAServiceWithoutASelectorIsRefused(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	files := testkit.Project("project: tiny\nservices: {web: {}}\ncluster: {ports: {outside: 5432}}\n")
	files["kustomize/overlays/dev/all.yaml"] += "---\napiVersion: v1\nkind: Service\nmetadata: {name: outside, namespace: tiny}\nspec: {ports: [{port: 5432}]}\n"
	code, _, stderr := zr(t, files, "up")
	if code != 2 || !strings.Contains(stderr, `config/dev.yaml:3:19: Service "outside" has no selector`) || !strings.Contains(stderr, "type: NodePort") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
