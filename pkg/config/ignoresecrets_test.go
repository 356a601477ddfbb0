package config

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGitDoesNotTakeSecrets asks git itself, after `git add -A`.
func TestGitDoesNotTakeSecrets(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	for _, test := range []struct {
		name  string
		files map[string]string
		wrote string
	}{
		{"nothing ignores them", nil, "config/secrets/.gitignore"},
		{"the project does", map[string]string{".gitignore": "config/secrets/*.env\n"}, ""},
		{"their folder is ignored", map[string]string{".gitignore": "secrets/\n"}, ""},
		{"the project takes them back", map[string]string{".gitignore": "*.env\n!dev.env\n"}, "config/secrets/.gitignore"},
		{"their folder has lines", map[string]string{"config/secrets/.gitignore": "*.pem"}, "config/secrets/.gitignore"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{"config/dev.yaml": good, "config/secrets/dev.env.example": example}
			for path, text := range test.files {
				files[path] = text
			}
			root := project(t, files)
			git := func(args ...string) string {
				out, err := exec.Command("git", append([]string{"-C", root}, args...)...).CombinedOutput()
				if err != nil {
					t.Fatalf("git %v: %v\n%s", args, err, out)
				}
				return string(out)
			}
			git("init", "-q")
			c, err := Load(root, "dev")
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{test.wrote, ""} {
				if wrote, err := c.IgnoreSecrets(); err != nil || wrote != want {
					t.Errorf("wrote %q, %v; want %q", wrote, err, want)
				}
				if _, err := c.MakeSecrets(nil); err != nil {
					t.Fatal(err)
				}
			}
			git("add", "-A")
			if taken := git("ls-files"); strings.Contains(taken+"\n", "dev.env\n") {
				t.Errorf("git takes them:\n%s", taken)
			}
			if test.name == "their folder has lines" {
				if text, _ := os.ReadFile(filepath.Join(root, test.wrote)); string(text) != "*.pem\n*.env\n!*.sops.env\n" {
					t.Errorf("the lines are %q", text)
				}
			}
		})
	}
	root := project(t, map[string]string{"config/dev.yaml": good, "config/secrets/dev.env": "A=b\n"})
	c, err := Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	if wrote, err := c.IgnoreSecrets(); err != nil || wrote != "" {
		t.Errorf("outside of a work tree: wrote %q, %v", wrote, err)
	}
}
