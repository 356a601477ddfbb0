package recipe

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/sys/unix"

	"zr/pkg/event"
	"zr/pkg/image"
)

// engine runs containers of images that the recipes make. It skips the test
// where ZR_TEST_ENGINE names no engine.
type engine struct {
	t   *testing.T
	cli string
	env []string
}

func newEngine(t *testing.T) *engine {
	t.Helper()
	cli := os.Getenv("ZR_TEST_ENGINE")
	if cli == "" {
		t.Skip("ZR_TEST_ENGINE is not set to podman or docker")
	}
	e := &engine{t: t, cli: cli, env: os.Environ()}
	if cli == "podman" && os.Getenv("CONTAINERS_CONF") == "" {
		e.env = append(e.env, "CONTAINERS_CONF="+constrained(t))
	}
	return e
}

// constrained writes a podman configuration that asks for no more than this
// machine's hard limits, which podman's own defaults may exceed.
func constrained(t *testing.T) string {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(t.TempDir(), "containers.conf")
	text := fmt.Sprintf("[engine]\nruntime = \"runc\"\n[containers]\ndefault_ulimits = [\"nofile=%d:%[1]d\", \"nproc=32768:32768\"]\n", files.Max)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return conf
}

// try runs the engine and returns all that it writes.
func (e *engine) try(args ...string) (string, error) {
	cmd := exec.Command(e.cli, args...)
	cmd.Env = e.env
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (e *engine) must(args ...string) string {
	e.t.Helper()
	out, err := e.try(args...)
	if err != nil {
		e.t.Fatalf("%s %s: %v\n%s", e.cli, strings.Join(args, " "), err, out)
	}
	return out
}

// image makes an image by its recipe and loads it. What is dear to make comes
// from zr's own caches, or stays there for zr.
func (e *engine) image(ref string) string {
	e.t.Helper()
	dir, err := image.DefaultDir()
	if err != nil {
		e.t.Fatal(err)
	}
	store, err := image.Open(dir)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { store.Close() })
	r, ok := Find(ref)
	if !ok {
		e.t.Fatalf("no recipe provides %s", ref)
	}
	img, err := r.Build(context.Background(), Options{Store: store, Sink: event.Discard})
	if err != nil {
		e.t.Fatal(err)
	}
	tag, err := name.NewTag("localhost/zrtest-recipe-" + r.Name() + ":" + r.Key())
	if err != nil {
		e.t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := tarball.Write(tag, img, &archive); err != nil {
		e.t.Fatal(err)
	}
	load := exec.Command(e.cli, "load")
	load.Env, load.Stdin = e.env, &archive
	if out, err := load.CombinedOutput(); err != nil {
		e.t.Fatalf("loading %s: %v\n%s", ref, err, out)
	}
	e.t.Cleanup(func() { _, _ = e.try("rmi", "-f", tag.Name()) })
	return tag.Name()
}

// container starts a container that is removed after the test.
func (e *engine) container(args ...string) string {
	e.t.Helper()
	name := fmt.Sprintf("zrtest-recipe-%d", time.Now().UnixNano())
	e.t.Cleanup(func() { _, _ = e.try("rm", "-f", "-v", name) })
	e.must(append([]string{"run", "-d", "--name", name}, args...)...)
	return name
}

// volume makes a volume that is removed after the test.
func (e *engine) volume() string {
	e.t.Helper()
	name := fmt.Sprintf("zrtest-recipe-%d", time.Now().UnixNano())
	e.must("volume", "create", name)
	e.t.Cleanup(func() { _, _ = e.try("volume", "rm", "-f", name) })
	return name
}

// eventually runs a command in a container until it succeeds.
func (e *engine) eventually(container string, command ...string) string {
	e.t.Helper()
	var out string
	for range 600 {
		var err error
		if out, err = e.try(append([]string{"exec", container}, command...)...); err == nil {
			return out
		}
		if running, _ := e.try("inspect", "-f", "{{.State.Running}}", container); running != "true" {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	logs, _ := e.try("logs", container)
	e.t.Fatalf("%s never succeeded: %s\nlog of the container:\n%s", strings.Join(command, " "), out, logs)
	return ""
}

// logged waits until a container has written text.
func (e *engine) logged(container, text string) {
	e.t.Helper()
	var logs string
	for range 600 {
		if logs, _ = e.try("logs", container); strings.Contains(logs, text) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	e.t.Fatalf("the container never wrote %q:\n%s", text, logs)
}
