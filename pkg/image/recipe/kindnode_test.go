package recipe

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The node's programs are a module of their own, which `go test ./...` does
// not see. Their tests run here, where an engine says that the time to compile
// Kubernetes is there.
func TestNodePrograms(t *testing.T) {
	if os.Getenv("ZR_TEST_ENGINE") == "" {
		t.Skip("ZR_TEST_ENGINE is not set to podman or docker")
	}
	r, _ := Find("localhost/kindest/node:v1.37.2")
	source := filepath.Join(t.TempDir(), "source")
	if err := unpackSource(r.files, r.spec.Programs.Source, source); err != nil {
		t.Fatal(err)
	}
	// Vetting would analyse all of Kubernetes for what it says about this.
	args := []string{"test", "-vet=off", "-tags=" + strings.Join(r.spec.Programs.Tags, ","), "./assemble", "./network", "./storage"}
	if err := run(context.Background(), command{name: "go", args: args, dir: source, env: goEnv}); err != nil {
		t.Error(err)
	}
}
