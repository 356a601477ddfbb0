package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/testkit"
)

// A project of nobody's is made of its sources, gets another service, and is valid each time.
func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "My Shop")
	for path, text := range map[string]string{
		"go.mod":          "module shop\n\ngo 1.26\n",
		"cmd/api/main.go": "package main\n\nimport \"net/http\"\n\nfunc main() { _ = http.ListenAndServe(\":8080\", nil) }\n",
		"tool/main.go":    "package main\n\nfunc main() {}\n",
		"docs/text.md":    "",
	} {
		testkit.WriteFile(t, filepath.Join(dir, path), text)
	}
	out, told, err := child(t, dir, "", "init", "--dry-run", "-o", "json")
	var plan struct {
		Project  string
		Services []struct{ Service string }
		Edits    []struct{ File, Text string }
	}
	if jsonErr := json.Unmarshal([]byte(out), &plan); err != nil || jsonErr != nil || plan.Project != "my-shop" || len(plan.Services) != 1 || len(plan.Edits) != 4 {
		t.Fatalf("%v, %v: %q, %q", err, jsonErr, out, told)
	}
	if _, err := os.Stat(filepath.Join(dir, "config")); err == nil {
		t.Fatal("--dry-run has written")
	}
	if out, told, err = child(t, dir, "", "init"); err != nil || !strings.Contains(out, "probably listens on 8080: the address that it listens at\n") ||
		!strings.Contains(out, "name those that do: zr init tool\n") || !strings.Contains(out, "config/dev.yaml is new\n") || !strings.HasSuffix(out, "\nNext: zr up\n") {
		t.Fatalf("%v: %q, %q", err, out, told)
	}
	for _, e := range plan.Edits {
		if text, err := os.ReadFile(filepath.Join(dir, e.File)); err != nil || string(text) != e.Text {
			t.Errorf("%s: %v: %q, and --dry-run said %q", e.File, err, text, e.Text)
		}
	}
	valid := func() {
		t.Helper()
		if out, told, err := child(t, dir, "", "config", "validate"); err != nil || !strings.Contains(out, "are valid") {
			t.Errorf("%v: %q, %q", err, out, told)
		}
	}
	valid()
	_, told, err = child(t, dir, "", "init")
	if err == nil || !strings.Contains(told, "no other folder here looks like a service\n") || !strings.Contains(told, "zr init tool\n") {
		t.Errorf("%v: %q", err, told)
	}
	// Who stands in a folder means it, and names are those of where he stands.
	if out, told, err = child(t, filepath.Join(dir, "tool"), "", "init"); err != nil || !strings.Contains(out, "nothing says where it listens: 8080 is a guess\n") || !strings.Contains(out, `config/dev.yaml has more below "services"`) {
		t.Errorf("%v: %q, %q", err, out, told)
	}
	testkit.WriteFile(t, filepath.Join(dir, "cmd/web/Dockerfile"), "FROM scratch\nEXPOSE 8080\n")
	if out, told, err = child(t, filepath.Join(dir, "cmd"), "", "init", "web"); err != nil || !strings.Contains(out, "kustomize/overlays/dev/web.yaml is new") {
		t.Errorf("%v: %q, %q", err, out, told)
	}
	valid()
	for want, folders := range map[string][]string{
		`zr: config/dev.yaml has a service "api" already`:        {"cmd/api"},
		`zr: nothing in docs says how it is built`:               {"docs"},
		`zr: "../elsewhere" is no folder of the project`:         {"../elsewhere"},
		`zr: config/dev.yaml has a service "web" already` + "\n": {"cmd/web", "tool"},
	} {
		before, _ := os.ReadFile(filepath.Join(dir, "config/dev.yaml"))
		_, told, err := child(t, dir, "", append([]string{"init"}, folders...)...)
		after, _ := os.ReadFile(filepath.Join(dir, "config/dev.yaml"))
		if err == nil || err.Error() != "exit status 2" || !strings.HasPrefix(told, want) || !strings.Contains(told, "\n  hint: ") || string(before) != string(after) {
			t.Errorf("%q: %v: %q", folders, err, told)
		}
	}
}

// What is to be typed next is about the project and the environment that were made.
func TestInitElsewhere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my shop")
	for path, text := range map[string]string{
		"Dockerfile":       "FROM scratch\nEXPOSE 80\n",
		"web/package.json": `{"dependencies": {"express": "4"}}`,
	} {
		testkit.WriteFile(t, filepath.Join(dir, path), text)
	}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	out, told, err := child(t, t.TempDir(), "", "init", "-C", dir, "--env", "staging")
	if err != nil || !strings.HasSuffix(out, "\nNext: zr up -C '"+root+"' -e staging\n") ||
		!strings.Contains(out, "\nPassed over: web cannot be built as it is: finding the lock file: ") || !strings.Contains(out, "config/staging.yaml is new\n") {
		t.Errorf("%v: %q, %q", err, out, told)
	}
}
