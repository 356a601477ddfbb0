package stack

import (
	"path/filepath"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/cluster"
)

// TestAHintHitsWhatItIsAbout has runs that are not about what a terminal takes by
// itself.
func TestAHintHitsWhatItIsAbout(t *testing.T) {
	s := stackOf(t, testkit.Project("project: tiny\nservices: {web: {}}\n"))
	real, err := filepath.EvalSymlinks(s.cfg.Root)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	for _, tc := range []struct {
		name, folder, project, env, of string
		want                           string
	}{
		{"the default environment, in the project", s.cfg.Root, "", "", "dev", "zr up"},
		{"another environment", s.cfg.Root, "", "", "staging", "zr up -e staging"},
		{"one that this terminal takes, and others do not", s.cfg.Root, "", "staging", "staging", "zr up -e staging"},
		{"the default one, where this terminal takes another", s.cfg.Root, "", "staging", "dev", "zr up -e dev"},
		{"from another folder", elsewhere, "", "", "dev", "zr up -C " + real},
		{"of a project that this terminal takes", elsewhere, s.cfg.Root, "", "dev", "zr up"},
	} {
		t.Chdir(tc.folder)
		t.Setenv("ZR_PROJECT", tc.project)
		t.Setenv("ZR_ENV", tc.env)
		cfg := *s.cfg
		cfg.Root, cfg.Env = real, tc.of
		if got := linesOf(&cfg).Zr("up"); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	on := linesOn(s.cfg, &cluster.Cluster{Kubeconfig: "/k", Context: "kind-x"}).Kubectl("delete", "job", "a")
	if want := "kubectl --kubeconfig /k --context kind-x delete job a"; on != want {
		t.Errorf("got %s, want %s", on, want)
	}
}
