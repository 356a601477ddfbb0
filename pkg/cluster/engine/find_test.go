package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/pkg/fault"
)

// command puts a shell script of the given name in front of PATH, as an
// engine that answers what the script prints.
func command(t *testing.T, dir, name, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestFindNamesEveryReason(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	command(t, dir, "docker", `echo "Cannot connect to the daemon" >&2; exit 1`)
	_, err := Find(context.Background(), "")
	if !errors.Is(err, ErrNone) {
		t.Fatalf("Find: %v, want ErrNone", err)
	}
	for _, want := range []string{"docker: Cannot connect to the daemon", "podman: not installed", "nerdctl: not installed"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if fault.HintOf(err) == "" {
		t.Error("no hint how to install an engine")
	}
}

func TestFindPrefers(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
	command(t, dir, "docker", `case "$1" in -v) echo "Docker version 29";; *) echo '{"ServerVersion":"29.1","CgroupVersion":"2"}';; esac`)
	command(t, dir, "nerdctl", `echo '{"ServerVersion":"2.0","CgroupVersion":"1"}'`)
	for preferred, want := range map[string]string{"": Docker, Nerdctl: Nerdctl} {
		e, err := Find(context.Background(), preferred)
		if err != nil || e.Name != want {
			t.Errorf("Find(%q) = %q, %v, want %q", preferred, e.Name, err, want)
		}
	}
	if _, err := Find(context.Background(), Podman); !errors.Is(err, ErrNone) {
		t.Errorf("Find of an engine that is not there: %v", err)
	}
	if _, err := Find(context.Background(), "lxc"); fault.Code(err) != fault.Usage {
		t.Errorf("Find of an engine that zr does not know: %v", err)
	}
}

func TestFindTellsPodmanAsDocker(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	command(t, dir, "docker", `echo "podman version 4.3.1"`)
	_, skipped, err := All(context.Background(), Docker)
	if err != nil || len(skipped) != 1 || !strings.Contains(skipped[0].Reason, "another engine") {
		t.Errorf("skipped %v, %v", skipped, err)
	}
}

func TestCommandErrorIsShort(t *testing.T) {
	dir := t.TempDir()
	command(t, dir, "podman", `i=0; while [ $i -lt 100 ]; do echo "line $i" >&2; i=$((i+1)); done; exit 3`)
	e := Engine{Name: Podman, Path: filepath.Join(dir, "podman")}
	err := e.Run(context.Background(), nil, nil, "run", "a", "b", "c", "d", "e", "f", "g")
	if err == nil || strings.Contains(err.Error(), "line 79\n") || !strings.Contains(err.Error(), "line 99") {
		t.Errorf("error: %v", err)
	}
	if !strings.HasPrefix(err.Error(), "podman run a b c d …: exit status 3: ") {
		t.Errorf("error begins: %.60s", err)
	}
}
