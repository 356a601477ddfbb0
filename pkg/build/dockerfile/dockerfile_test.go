package dockerfile

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/config"
	"zr/pkg/image"
)

type project struct {
	t    *testing.T
	root string
	deps build.Deps
}

func newProject(t *testing.T) *project {
	t.Helper()
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	p := &project{t: t, root: t.TempDir(), deps: build.Deps{Store: store, Cache: t.TempDir()}}
	p.write("tool/Dockerfile", "FROM scratch\nCOPY . /data\nENV A=b\nENTRYPOINT [\"/data/run\"]\n")
	p.write("tool/run", "run")
	p.write("tool/notes.md", "notes")
	p.write("tool/.dockerignore", "*.md\n!keep.md\ntmp\n")
	return p
}

func (p *project) write(name, content string) {
	p.t.Helper()
	testkit.WriteFile(p.t, filepath.Join(p.root, name), content)
}

func (p *project) request() build.Request {
	return build.Request{
		Service: "tool", Project: "zrtest", Root: p.root, Platform: "linux/amd64", Mode: build.Release,
		Spec: config.Build{Dockerfile: "tool/Dockerfile"},
	}
}

func (p *project) inputs() *build.InputSet {
	p.t.Helper()
	set, err := New(p.deps).Inputs(p.t.Context(), p.request())
	if err != nil {
		p.t.Fatal(err)
	}
	return set
}

func TestInputs(t *testing.T) {
	p := newProject(t)
	p.write("tool/tmp/x", "x")
	p.write("tool/sub/keep.md", "x")
	p.write("other/file", "x")
	var names []string
	for _, f := range p.inputs().Files() {
		names = append(names, f.Path)
	}
	want := []string{"tool/.dockerignore", "tool/Dockerfile", "tool/run", "tool/sub/keep.md"}
	if !slices.Equal(names, want) {
		t.Errorf("inputs %q, want %q", names, want)
	}
	before := p.inputs().Sum()
	p.write("tool/notes.md", "other notes")
	p.write("other/file", "y")
	if p.inputs().Sum() != before {
		t.Error("what is left out counts")
	}
	p.write("tool/.dockerignore", "tmp\n")
	if set := p.inputs(); !set.Contains("tool/notes.md") || set.Contains("tool/tmp/y") {
		t.Error("the new .dockerignore is not followed")
	}
}

// TestBuild has an engine build images without a base.
func TestBuild(t *testing.T) {
	name := os.Getenv("ZR_TEST_ENGINE")
	if name == "" {
		t.Skip("ZR_TEST_ENGINE does not name a container engine")
	}
	p := newProject(t)
	b := build.New(nil, nil, WithEngine(p.deps, name))
	first, err := b.Build(t.Context(), p.request())
	if err != nil {
		t.Fatal(err)
	}
	config, err := first.Image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if env := config.Config.Env; !slices.Contains(env, "A=b") || !slices.Contains(env, "ZR_BUILD_HASH="+first.InputHash) {
		t.Errorf("env = %q", env)
	}
	if again, err := b.Build(t.Context(), p.request()); err != nil || !again.Cached || again.Digest != first.Digest {
		t.Errorf("again: %+v, %v", again, err)
	}
	p.write("tool/Dockerfile", "FROM scratch\nCOPY missing /\n")
	_, err = b.Build(t.Context(), p.request())
	if err == nil || !strings.HasPrefix(err.Error(), `building image "tool": `+name+" build tool/Dockerfile: exit status") || !strings.Contains(err.Error(), "missing") {
		t.Errorf("err = %v", err)
	}
	left, err := exec.Command(name, "images", "--format", "{{.Repository}}").Output()
	if err != nil || strings.Contains(string(left), "zr-build/zrtest-tool") {
		t.Errorf("the engine still has the build's name: %v\n%s", err, left)
	}
}
