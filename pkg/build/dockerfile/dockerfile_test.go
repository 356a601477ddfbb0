package dockerfile

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
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
		Spec: config.Build{DockerfileKeys: config.DockerfileKeys{Dockerfile: "tool/Dockerfile"}},
	}
}

func (p *project) inputs() *build.InputSet {
	p.t.Helper()
	set, err := New(p.deps, nil).Inputs(p.t.Context(), p.request())
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

// TestSymlinks: an engine is sent symlinks as they are.
func TestSymlinks(t *testing.T) {
	p := newProject(t)
	for name, target := range map[string]string{"folder": "sub", "nowhere": "missing"} {
		if err := os.Symlink(target, filepath.Join(p.root, "tool", name)); err != nil {
			t.Fatal(err)
		}
	}
	p.write("tool/sub/file", "x")
	if set := p.inputs(); !set.Contains("tool/folder") || !set.Contains("tool/sub/file") {
		t.Errorf("inputs %v", set.Files())
	}
}

func TestMissingDockerfile(t *testing.T) {
	p := newProject(t)
	if err := os.Remove(filepath.Join(p.root, "tool/Dockerfile")); err != nil {
		t.Fatal(err)
	}
	_, err := New(p.deps, nil).Build(t.Context(), p.request()) // asks for no engine
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "tool/Dockerfile") {
		t.Errorf("err = %v", err)
	}
}

// TestPassedArguments: an argument that the environment gives is an input.
func TestPassedArguments(t *testing.T) {
	p := newProject(t)
	sum := func() string {
		r := p.request()
		r.Spec.Flags = []string{"--build-arg", "TOOL_VERSION", "--build-arg=FIXED=1"}
		set, err := New(p.deps, nil).Inputs(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return set.Sum()
	}
	t.Setenv("TOOL_VERSION", "1")
	before := sum()
	t.Setenv("FIXED", "2")
	if sum() != before {
		t.Error("a variable that no flag names counts")
	}
	t.Setenv("TOOL_VERSION", "2")
	if sum() == before {
		t.Error("another value makes no difference")
	}
}

// fakeEngine is a command that says what it is asked for, and saves an image
// without layers.
func fakeEngine(t *testing.T) (log string) {
	t.Helper()
	bin := t.TempDir()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for name, content := range map[string]string{
		"manifest.json": `[{"Config":"config.json","RepoTags":[],"Layers":[]}]`,
		"config.json":   `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]},"config":{}}`,
	} {
		header := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))})
		_, err := w.Write([]byte(content))
		if err := errors.Join(header, err); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), os.WriteFile(filepath.Join(bin, "image.tar"), archive.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	log = filepath.Join(bin, "log")
	script := fmt.Sprintf("#!/bin/sh\necho \"$SETTINGS $1\" >>%[1]s/log\n[ $1 != save ] || { [ ! -e $3 ] && cp %[1]s/image.tar $3; }\n", bin)
	if err := os.WriteFile(filepath.Join(bin, "fakengine"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	return log
}

// TestEngine: the engine that is found builds, with what it needs in its
// environment, and what a killed build left is no hindrance.
func TestEngine(t *testing.T) {
	log := fakeEngine(t)
	p := newProject(t)
	work, err := p.deps.WorkDir(p.request())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, "image.tar"), []byte("left behind"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := New(p.deps, func(context.Context) (Engine, error) {
		return Engine{Name: "fakengine", Env: []string{"SETTINGS=mine"}}, nil
	})
	if _, err := b.Build(t.Context(), p.request()); err != nil {
		t.Fatal(err)
	}
	said, _ := os.ReadFile(log)
	if string(said) != "mine build\nmine save\nmine rmi\n" {
		t.Errorf("the engine was asked for:\n%s", said)
	}
	if left, _ := filepath.Glob(filepath.Join(work, "*.tar")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	dead := errors.New("no engine answers")
	p.write("tool/run", "changed")
	b = New(p.deps, func(context.Context) (Engine, error) { return Engine{}, dead })
	if _, err := b.Build(t.Context(), p.request()); !errors.Is(err, dead) {
		t.Errorf("err = %v", err)
	}
}

// TestBuild has an engine build images without a base.
func TestBuild(t *testing.T) {
	name := os.Getenv("ZR_TEST_ENGINE")
	if name == "" {
		t.Skip("ZR_TEST_ENGINE does not name a container engine")
	}
	p := newProject(t)
	b := build.Kinds{Kind(func(context.Context) (Engine, error) { return Engine{Name: name}, nil })}.With(p.deps)
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
