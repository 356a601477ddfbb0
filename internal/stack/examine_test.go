package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/devattach"
)

func examined(t *testing.T, s *Stack) map[string]devattach.Finding {
	t.Helper()
	all, err := s.Examine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]devattach.Finding{}
	for _, f := range all {
		by[f.Name] = f
	}
	return by
}

// Each thing that an environment needs is a finding, with the line that mends it.
func TestExamine(t *testing.T) {
	s := proposing(t, nil)
	found := examined(t, s)
	for _, name := range []string{"container engine", "clock", "configuration", "secrets", "cluster", "images"} {
		if found[name].Status == "" || found[name].Detail == "" {
			t.Errorf("%s: %+v", name, found[name])
		}
	}
	if c := found["cluster"]; c.Status != "fail" || !strings.HasPrefix(c.Command, "zr up") {
		t.Errorf("a cluster that is not there: %+v", c)
	}
	if c := found["configuration"]; c.Status != "ok" {
		t.Errorf("the configuration: %+v", c)
	}
	if f, has := found["network policies"]; has {
		t.Errorf("of no cluster: %+v", f)
	}

	secrets := filepath.Join(s.cfg.Root, "config/secrets/dev.env")
	testkit.WriteFile(t, secrets, "PASSWORD=mock-planted\n")
	if err := os.Chmod(secrets, 0o600); err != nil {
		t.Fatal(err)
	}
	testkit.WriteFile(t, filepath.Join(s.cfg.Root, "kustomize/overlays/dev/all.yaml"), "kind: [\n")
	found = examined(t, loaded(t, s.cfg.Root))
	if c := found["configuration"]; c.Status != "fail" || !strings.Contains(c.Detail, "all.yaml") || !strings.HasPrefix(c.Command, "zr config") || !strings.HasSuffix(c.Command, " validate") {
		t.Errorf("manifests that are broken: %+v", c)
	}
	if c := found["secrets"]; c.Status != "warn" || !strings.Contains(c.Detail, "PASSWORD") || strings.Contains(c.Detail, "planted") {
		t.Errorf("secrets of the example: %+v", c)
	}
}
