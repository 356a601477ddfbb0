package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"zr/pkg/fault"
)

// TestFilesThatNeverEndAreRefused has pipes and devices in the place of what is
// read. Where one were opened, the test would not end.
func TestFilesThatNeverEndAreRefused(t *testing.T) {
	for _, file := range []string{"config/dev.yaml", "config/secrets/dev.env", "config/secrets/dev.env.example"} {
		for what, put := range map[string]func(path string) error{
			"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
			"a device": func(path string) error { return os.Symlink("/dev/zero", path) },
			"a large file": func(path string) error {
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					return err
				}
				return os.Truncate(path, 1<<40)
			},
		} {
			root := project(t, map[string]string{"config/dev.yaml": good, "config/secrets/x": ""})
			path := filepath.Join(root, file)
			_ = os.Remove(path)
			if err := put(path); err != nil {
				t.Fatal(err)
			}
			_, err := Load(root, "dev")
			if fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), filepath.Base(file)) {
				t.Errorf("%s as %s: %v", what, file, err)
			}
		}
	}
}

func TestBuildsOutsideOfTheProjectAreRefused(t *testing.T) {
	root := project(t, map[string]string{"config/x": "", "Dockerfile": ""})
	if err := os.Symlink("/etc", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	for _, build := range []string{"node: ../../../../../etc", "node: /etc", "node: link", "go: ../../../../../etc", "go: ./link", "dockerfile: ../../../../../etc/passwd", "dockerfile: Dockerfile, context: .."} {
		_, problems := parse([]byte("project: a\nservices: {a: {build: {"+build+"}}}\n"), "c.yaml", root, "dev")
		if len(problems) != 1 || !strings.Contains(problems[0].Text, "leads out of the project") || problems[0].Line != 2 {
			t.Errorf("%s: %v", build, problems)
		}
	}
	if _, problems := parse([]byte("project: a\nservices: {a: {build: {node: ./web/../web}}}\n"), "c.yaml", root, "dev"); len(problems) > 0 {
		t.Error(problems)
	}
}
