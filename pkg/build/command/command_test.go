package command

import (
	"archive/tar"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/internal/testkit"
	"zr/pkg/agentspec"
	"zr/pkg/build"
	"zr/pkg/build/internal/buildtest"
	"zr/pkg/config"
	"zr/pkg/fault"
	"zr/pkg/image"
)

// project is one whose command compiles a program and puts a page beside it.
type project struct {
	t    *testing.T
	root string
	deps build.Deps
	spec config.Build
}

func newProject(t *testing.T) *project {
	t.Helper()
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	p := &project{t: t, root: t.TempDir(), deps: build.Deps{
		Store: store, Cache: t.TempDir(),
		Base: func(ctx context.Context, ref string) (v1.Image, error) { return store.Get(ctx, ref) },
	}, spec: config.Build{CommandKeys: config.CommandKeys{
		Command: []string{"sh", "build.sh"}, Dir: "./api", Out: "dist", Run: []string{"./server", "-v"},
	}}}
	p.write("build.sh", "set -e\ntest \"$ZR_PLATFORM$ZR_AGE_KEY$SOPS_AGE_KEY\" = linux/"+runtime.GOARCH+"\necho run >>../runs\nrm -rf dist\nmkdir -p dist/pages\n"+
		"go build -o dist/server .\ncp page.html dist/pages/\n")
	p.write("go.mod", "module example.test/api\n\ngo 1.21\n")
	p.write("main.go", "package main\n\nimport \"os\"\n\nfunc main() {\n\tpage, _ := os.ReadFile(os.Args[1])\n\tos.Stdout.Write(page)\n}\n")
	p.write("page.html", "one\n")
	return p
}

func (p *project) write(name, content string) {
	p.t.Helper()
	testkit.WriteFile(p.t, filepath.Join(p.root, "api", name), content)
}

func (p *project) request(mode build.Mode) build.Request {
	r := build.Request{Service: "api", Project: "shop", Root: p.root, Platform: "linux/" + runtime.GOARCH, Mode: mode, Spec: p.spec}
	if mode == build.Dev {
		r.Agent = filepath.Join(p.root, "zr-agent")
		testkit.WriteFile(p.t, r.Agent, "agent")
	}
	return r
}

func (p *project) build(mode build.Mode) build.Result {
	p.t.Helper()
	result, err := New(p.deps).Build(p.t.Context(), p.request(mode))
	if err != nil {
		p.t.Fatal(err)
	}
	return result
}

// runs is how often the command ran.
func (p *project) runs() int {
	data, _ := os.ReadFile(filepath.Join(p.root, "runs"))
	return strings.Count(string(data), "run")
}

// holds returns the files of an image that are not those of zr's base.
func holds(t *testing.T, img v1.Image) (names []string) {
	buildtest.Walk(t, img, func(h *tar.Header, _ io.Reader) {
		if h.Typeflag == tar.TypeReg && !strings.HasPrefix(h.Name, "etc/") {
			names = append(names, h.Name)
		}
	})
	slices.Sort(names)
	return names
}

func TestImage(t *testing.T) {
	t.Setenv("ZR_AGE_KEY", "of the user")
	t.Setenv("SOPS_AGE_KEY", "of the user")
	p := newProject(t)
	first := p.build(build.Release)
	if got := holds(t, first.Image); !slices.Equal(got, []string{"app/pages/page.html", "app/server"}) {
		t.Errorf("the image holds %v", got)
	}
	c, err := first.Image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Config.Entrypoint, []string{"/app/server", "-v"}) || c.Config.WorkingDir != "/app" || c.Config.User == "" ||
		!slices.Contains(c.Config.Env, build.EnvHash+"="+first.InputHash) {
		t.Errorf("config %+v", c.Config)
	}
	if again := p.build(build.Release); !again.Cached || again.Digest != first.Digest || p.runs() != 1 {
		t.Errorf("nothing changed: cached %t, the command ran %d times", again.Cached, p.runs())
	}
	p.write("page.html", "two\n")
	if next := p.build(build.Release); next.Cached || next.InputHash == first.InputHash || p.runs() != 2 {
		t.Errorf("a changed page: cached %t, the command ran %d times", next.Cached, p.runs())
	}
	p.write("page.html", "one\n")
	if back := p.build(build.Release); back.Digest != first.Digest || p.runs() != 2 {
		t.Errorf("the same inputs gave %s, before %s", back.Digest, first.Digest)
	}
}

func TestDevImage(t *testing.T) {
	p := newProject(t)
	img := p.build(build.Dev).Image
	if got := holds(t, img); !slices.Equal(got, []string{"zr/seed/pages/page.html", "zr/seed/server", "zr/zr-agent"}) {
		t.Errorf("the image holds %v", got)
	}
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	var spec agentspec.Spec
	for _, entry := range c.Config.Env {
		if value, ok := strings.CutPrefix(entry, agentspec.EnvSpec+"="); ok {
			if err := json.Unmarshal([]byte(value), &spec); err != nil {
				t.Fatal(err)
			}
		}
	}
	if spec.Dir != "/app" || !slices.Equal(spec.Command, []string{"/app/server", "-v"}) || !slices.Equal(c.Config.Entrypoint, []string{agentspec.AgentPath}) {
		t.Errorf("spec %+v, entry point %v", spec, c.Config.Entrypoint)
	}
}

// TestABaseSaysWhatRuns where the config does not.
func TestABaseSaysWhatRuns(t *testing.T) {
	p := newProject(t)
	p.spec.Run = nil
	if _, err := New(p.deps).Build(t.Context(), p.request(build.Release)); err == nil || !strings.Contains(fault.HintOf(err), "run:") {
		t.Errorf("nothing to run: %v, hint %q", err, fault.HintOf(err))
	}
	p.spec.Run = []string{"server"}
	base := p.build(build.Release)
	p.spec.Run, p.spec.Base = nil, base.Local()
	c, err := p.build(build.Release).Image.ConfigFile()
	if err != nil || !slices.Equal(c.Config.Entrypoint, []string{"server"}) {
		t.Errorf("entry point %v, %v", c.Config.Entrypoint, err)
	}
}

// TestLive: what is sent stays as it is while the command runs again, and runs.
func TestLive(t *testing.T) {
	p := newProject(t)
	b, r := New(p.deps), p.request(build.Dev)
	set, err := b.Inputs(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	live, err := b.Live(r, set, filepath.Join(t.TempDir(), "api"))
	if err != nil {
		t.Fatal(err)
	}
	files, hash, err := live.Folder.Command(t.Context())
	if err != nil || len(files) != 2 || hash != set.Hash() {
		t.Fatalf("files %v, hash %s of %s, %v", files, hash, set.Hash(), err)
	}
	said, err := exec.Command(files["server"], files["pages/page.html"]).CombinedOutput()
	if err != nil || string(said) != "one\n" {
		t.Errorf("it says %q, %v", said, err)
	}
	p.write("main.go", "package main\n\nfunc main() { missing() }\n")
	if err := set.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := live.Folder.Command(t.Context()); err == nil || !strings.Contains(err.Error(), "main.go:3:15: undefined: missing") {
		t.Errorf("a command that fails: %v", err)
	}
	if said, err := exec.Command(files["server"], files["pages/page.html"]).CombinedOutput(); err != nil || string(said) != "one\n" {
		t.Errorf("after a build that failed, what was sent says %q, %v", said, err)
	}
	for path, want := range map[string]bool{"main.go": true, "new.go": true, "dist/server": false, "../other": false} {
		if got := set.Contains(filepath.Join(p.root, "api", path)); got != want {
			t.Errorf("%s is an input: %t", path, got)
		}
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	for name, c := range map[string]struct{ script, want, hint string }{
		"it makes nothing":          {"true\n", "sh build.sh made nothing in api/dist", "`out:`"},
		"it fails":                  {"echo no such thing; exit 3\n", "sh build.sh: exit status 3: no such thing", ""},
		"it makes a script":         {"mkdir -p dist; echo '#!/bin/sh' >dist/server\n", "api/dist/server cannot be started in its image: it needs /bin/sh, which is not there", "CGO_ENABLED=0"},
		"it is of another machine":  {"mkdir -p dist; GOARCH=s390x go build -o dist/server .\n", "api/dist/server is a program for s390x, and the nodes are of " + runtime.GOARCH, "ZR_PLATFORM: linux/"},
		"it changes what it reads":  {"mkdir -p dist; echo x >dist/x; date +%N >>stamp\n", "changes the sources", ".zrignore"},
		"it writes beside, ignored": {"mkdir -p dist; echo x >dist/x; date +%N >>cache.o\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t)
			p.write("build.sh", c.script)
			p.write(".gitignore", "*.o\n")
			b, r := New(p.deps), p.request(build.Dev)
			set, err := b.Inputs(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			live, err := b.Live(r, set, filepath.Join(t.TempDir(), "api"))
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = live.Folder.Command(t.Context())
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(fault.HintOf(err), c.hint) {
				t.Errorf("err = %v, hint %q", err, fault.HintOf(err))
			}
		})
	}
}

func TestTools(t *testing.T) {
	spec := config.Build{CommandKeys: config.CommandKeys{Command: []string{"cargo", "build"}}}
	if got := Kind.Tools(spec); !slices.Equal(got, []build.Tool{{Name: "cargo", Unknown: true}}) {
		t.Errorf("tools %v", got)
	}
	if spec.Command[0] = "./build"; len(Kind.Tools(spec)) != 0 {
		t.Error("a script of the project is looked for in the PATH")
	}
}
