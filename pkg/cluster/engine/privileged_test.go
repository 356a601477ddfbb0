package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"zr/internal/testkit"
)

// TestDockerIsTriedOnce: what an engine can do is asked of it, not of this
// machine's capabilities; a yes is remembered for the engine as it is, a no is not.
func TestDockerIsTriedOnce(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
	state := func(name string) string { return filepath.Join(dir, name) }
	command(t, dir, "docker", fmt.Sprintf(`cd %s
case "$1" in
-v) echo "Docker version 29" ;;
info) cat info ;;
import) cat >/dev/null; echo sha256:made ;;
run) echo "$@" >>runs; [ ! -e refuses ] || { echo "docker: $(cat refuses)" >&2; echo "See 'docker run --help'." >&2; exit 126; } ;;
rmi) echo "$2" >>removed ;;
esac`, dir))
	is := func(id string) {
		testkit.WriteFile(t, state("info"), `{"ID":"`+id+`","ServerVersion":"29.1","Architecture":"x86_64"}`)
	}
	runs := func() int {
		text, err := os.ReadFile(state("runs"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "--privileged")
	}

	is("first")
	const refusal = "OCI runtime create failed: unable to apply caps: operation not permitted"
	testkit.WriteFile(t, state("refuses"), refusal)
	for range 2 {
		_, err := Find(context.Background(), Docker)
		if !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), "docker: it cannot start privileged containers: "+refusal) || strings.Contains(err.Error(), "--help") {
			t.Fatalf("an engine that refuses: %v", err)
		}
	}
	if n := runs(); n != 2 {
		t.Errorf("an engine that refused was tried %d times in 2 runs", n)
	}
	if err := os.Remove(state("refuses")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := Find(context.Background(), Docker); err != nil {
			t.Fatal(err)
		}
	}
	if n := runs(); n != 3 {
		t.Errorf("an engine that was fixed was tried %d times in 3 runs, want once", n-2)
	}
	is("second")
	if _, err := Find(context.Background(), Docker); err != nil || runs() != 4 {
		t.Errorf("another engine was tried %d times: %v", runs()-3, err)
	}
	if removed, _ := os.ReadFile(state("removed")); strings.Count(string(removed), "sha256:made") != runs() {
		t.Errorf("%d images were made and those removed are:\n%s", runs(), removed)
	}
}

// TestEndingProgram runs the program of the container on this machine.
func TestEndingProgram(t *testing.T) {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	program := endingProgram(arch)
	if runtime.GOOS != "linux" || program == nil {
		t.Skip("there is no program for this machine")
	}
	path := filepath.Join(t.TempDir(), "end")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
