package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/cluster/statedir"
	"zr/pkg/fault"
)

// TestCheckoutRemembersItsInstance goes on without the flag where it was given
// once, and back with an empty one.
func TestCheckoutRemembersItsInstance(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	dir := t.TempDir()
	for path, text := range testkit.Project(tiny) {
		testkit.WriteFile(t, filepath.Join(dir, path), text)
	}
	choose := func(instance string) {
		t.Helper()
		if err := statedir.ChooseInstance(dir, "dev", instance); err != nil {
			t.Fatal(err)
		}
	}
	choose("blue")
	t.Chdir(dir)
	show := func(args ...string) string {
		var out, errOut testkit.Buffer
		if code := run(t.Context(), append([]string{"zr", "config", "show", "-o", "json"}, args...), &out, &errOut); code != 0 {
			t.Errorf("%v: %s", args, errOut.String())
		}
		return out.String()
	}
	if got := show(); !strings.Contains(got, `"name": "tiny-dev-blue"`) {
		t.Error(got)
	}
	if got := show("--as", "green"); !strings.Contains(got, `"name": "tiny-dev-green"`) {
		t.Error(got)
	}
	if got := show("--as", ""); !strings.Contains(got, `"name": "tiny-dev"`) {
		t.Error(got)
	}
	t.Setenv("ZR_AS", "red")
	if got := show(); !strings.Contains(got, `"name": "tiny-dev-red"`) {
		t.Error(got)
	}
	if err := os.Unsetenv("ZR_AS"); err != nil {
		t.Fatal(err)
	}
	choose("")
	if got := show(); !strings.Contains(got, `"name": "tiny-dev"`) {
		t.Error(got)
	}
}

func TestInstanceThatCannotBe(t *testing.T) {
	for instance, want := range map[string]string{"Blue": "part of a cluster's name", strings.Repeat("x", 50): "longer than", "two": "config/dev-two.yaml"} {
		files := testkit.Project("project: tiny\nservices: {web: {}}\n")
		files["config/dev-two.yaml"] = files["config/dev.yaml"]
		if code, _, stderr := zr(t, files, "config", "show", "--as", instance); code != fault.Usage || !strings.Contains(stderr, want) {
			t.Errorf("--as %s: exit code %d\n%s", instance, code, stderr)
		}
	}
	files := map[string]string{"config/dev.yaml": "project: tiny\ncluster: {provider: context, context: c}\nservices: {}\n"}
	if code, _, stderr := zr(t, files, "config", "show", "--as", "blue"); code != fault.Usage || !strings.Contains(stderr, "cluster of its own") {
		t.Errorf("on a cluster of others: exit code %d\n%s", code, stderr)
	}
}
