package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"zr/internal/testkit"
)

// aliases are YAML that has a billion values when they are expanded.
func aliases() string {
	text := "a0: &a0 [x, x]\n"
	for i := 1; i < 10; i++ {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return text
}

// TestValidatingAHostileProjectIsCheapAndQuiet runs zr on projects that hold what
// hurts. It ends, says where, stays small, runs no program and writes nothing.
func TestValidatingAHostileProjectIsCheapAndQuiet(t *testing.T) {
	bin := t.TempDir()
	ran := filepath.Join(bin, "ran")
	for _, program := range []string{"git", "ssh", "helm", "podman", "docker"} {
		testkit.WriteFile(t, filepath.Join(bin, program), "#!/bin/sh\necho "+program+" >>"+ran+"\n")
		if err := os.Chmod(filepath.Join(bin, program), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	manifest := "kustomize/overlays/dev/all.yaml"
	for _, test := range []struct {
		name string
		do   func(dir string) error
		want string
	}{
		{"aliases in a configuration", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "config/dev.yaml"), []byte(tiny+"settings:\n  "+strings.ReplaceAll(aliases(), "\n", "\n  ")), 0o600)
		}, "config/dev.yaml:9:"},
		{"aliases in a manifest", func(dir string) error { return os.WriteFile(filepath.Join(dir, manifest), []byte(aliases()), 0o600) }, "all.yaml:6:"},
		{"a manifest of 2 GB", func(dir string) error { return os.Truncate(filepath.Join(dir, manifest), 2<<30) }, "all.yaml"},
		{"a configuration of 2 GB", func(dir string) error { return os.Truncate(filepath.Join(dir, "config/dev.yaml"), 2<<30) }, "dev.yaml"},
		{"a manifest without an end", func(dir string) error { return replaced(dir, manifest, "/dev/zero") }, "not a regular file"},
		{"a configuration without an end", func(dir string) error { return replaced(dir, "config/dev.yaml", "/dev/zero") }, "not a regular file"},
		{"a pipe", func(dir string) error {
			_ = os.Remove(filepath.Join(dir, manifest))
			return syscall.Mkfifo(filepath.Join(dir, manifest), 0o600)
		}, "not a regular file"},
		{"a repository", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "kustomize/overlays/dev/kustomization.yaml"), []byte("resources: [all.yaml, \"ssh://git@127.0.0.1:1/x/y\"]\n"), 0o600)
		}, "fetched from elsewhere"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			files := testkit.Project("project: tiny\nservices: {web: {}}\n")
			files["config/secrets/dev.env.example"] = "A=mock-a\n"
			for path, text := range files {
				testkit.WriteFile(t, filepath.Join(dir, path), text)
			}
			if err := test.do(dir); err != nil {
				t.Fatal(err)
			}
			before := listing(t, dir)
			c := exec.CommandContext(t.Context(), os.Args[0], "-C", dir, "config", "validate")
			c.Env = append(os.Environ(), asZR+"=1", "PATH="+bin+":"+os.Getenv("PATH"))
			var stderr bytes.Buffer
			c.Stderr = &stderr
			testkit.ForgetPeak()
			if err := c.Run(); c.ProcessState == nil || c.ProcessState.ExitCode() != 2 || !strings.Contains(stderr.String(), test.want) {
				t.Errorf("%v\n%s", err, stderr.String())
			}
			if got := testkit.PeakMemory(t, c); got > testkit.MaxMemory {
				t.Errorf("it took %d MB", got/1e6)
			}
			if programs, err := os.ReadFile(ran); err == nil {
				t.Errorf("it ran %s", programs)
				_ = os.Remove(ran)
			}
			if after := listing(t, dir); after != before {
				t.Errorf("it wrote: %s\nthere was %s", after, before)
			}
		})
	}
}

func replaced(dir, name, target string) error {
	_ = os.Remove(filepath.Join(dir, name))
	return os.Symlink(target, filepath.Join(dir, name))
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}
