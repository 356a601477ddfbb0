package node

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/build/internal/buildtest"
	"zr/pkg/config"
	"zr/pkg/fault"
	"zr/pkg/image"
)

// service is a Node.js service in a project folder of its own.
type service struct {
	t    *testing.T
	root string
	deps build.Deps
}

// copyFixture copies a folder of testdata to <root>/web, as a project has it.
func copyFixture(t *testing.T, fixture string) *service {
	t.Helper()
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if _, err := store.Put(t.Context(), DefaultBase, empty.Image, image.Pulled, ""); err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, root: t.TempDir(), deps: build.Deps{
		Store: store, Cache: t.TempDir(),
		Base: func(ctx context.Context, ref string) (v1.Image, error) { return store.Get(ctx, ref) },
	}}
	if err := os.CopyFS(filepath.Join(s.root, "web"), os.DirFS(filepath.Join("testdata", fixture))); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *service) write(name, content string) {
	s.t.Helper()
	testkit.WriteFile(s.t, filepath.Join(s.root, "web", name), content)
}

func (s *service) request(mode build.Mode) build.Request {
	return build.Request{Service: "web", Project: "shop", Root: s.root, Platform: hostPlatform, Mode: mode, Spec: config.Build{NodeKeys: config.NodeKeys{Node: "web"}}}
}

func (s *service) build(mode build.Mode) build.Result {
	s.t.Helper()
	r := s.request(mode)
	if mode == build.Dev {
		r.Agent = filepath.Join(s.root, "zr-agent")
		if err := os.WriteFile(r.Agent, []byte("agent"), 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	result, err := New(s.deps).Build(s.t.Context(), r)
	if err != nil {
		s.t.Fatal(err)
	}
	return result
}

// unpack writes an image's files below a folder and returns their names.
func unpack(t *testing.T, img v1.Image, to string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	buildtest.Walk(t, img, func(h *tar.Header, content io.Reader) {
		names[h.Name] = true
		file := filepath.Join(to, h.Name)
		var err error
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(file, 0o755)
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, file)
		default:
			var b []byte
			if b, err = io.ReadAll(content); err == nil {
				err = os.WriteFile(file, b, 0o755)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	return names
}

func configOf(t *testing.T, img v1.Image) v1.Config {
	t.Helper()
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return c.Config
}

// answer runs the image's command on this machine, with /app elsewhere, and
// returns what it says at a path.
func answer(t *testing.T, r build.Result, root, path string) map[string]any {
	t.Helper()
	c := configOf(t, r.Image)
	args := slices.Clone(c.Entrypoint)
	for i := range args {
		args[i] = strings.Replace(args[i], appDir+"/", filepath.Join(root, "app")+"/", 1)
	}
	port := strconv.Itoa(testkit.FreePort(t))
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir = filepath.Join(root, c.WorkingDir)
	cmd.Env = append(os.Environ(), "PORT="+port, "HOSTNAME=127.0.0.1", "ZR_BUILD_HASH="+r.InputHash)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	for deadline := time.Now().Add(time.Minute); ; {
		response, err := http.Get("http://127.0.0.1:" + port + path)
		if err == nil {
			defer response.Body.Close()
			var said map[string]any
			if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
				t.Fatal(err)
			}
			return said
		}
		if time.Now().After(deadline) {
			t.Fatalf("no answer: %v\n%s", err, out.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestPlain(t *testing.T) {
	a, b := copyFixture(t, "plain"), copyFixture(t, "plain")
	first, second := a.build(build.Release), b.build(build.Release)
	if first.Digest != second.Digest {
		t.Errorf("two folders gave %s and %s", first.Digest, second.Digest)
	}
	root := t.TempDir()
	names := unpack(t, first.Image, root)
	for name, want := range map[string]bool{
		"app/server.js": true, "app/node_modules/ms/index.js": true,
		"app/node_modules/escape-string-regexp/index.js": false, "app/.npmrc": false, "app/node_modules/.package-lock.json": false,
	} {
		if names[name] != want {
			t.Errorf("%s in the image: %v, want %v", name, names[name], want)
		}
	}
	if c := configOf(t, first.Image); c.User != user || !slices.Equal(c.Entrypoint, []string{"node", "server.js"}) || c.WorkingDir != "/app" {
		t.Errorf("config = %+v", c)
	}
	if said := answer(t, first, root, "/"); said["build"] != first.InputHash || said["minute"] != 60000.0 {
		t.Errorf("the service says %v", said)
	}
	for _, made := range []string{"node_modules", ".next", ".zr-installed"} {
		if _, err := os.Stat(filepath.Join(a.root, "web", made)); err == nil {
			t.Errorf("the build left %s in the user's tree", made)
		}
	}
}

func nodeVersion(t *testing.T) string {
	t.Helper()
	version, err := (&project{}).nodeVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func TestUnchangedRunsNothing(t *testing.T) {
	s := copyFixture(t, "plain")
	first := s.build(build.Release)
	bin := t.TempDir() // whatever is run now fails, but for asking for a version
	if err := os.WriteFile(filepath.Join(bin, "node"), fmt.Appendf(nil, "#!/bin/sh\n[ $1 = --version ] && echo %s\n", nodeVersion(t)), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	if again := s.build(build.Release); !again.Cached || again.Digest != first.Digest {
		t.Errorf("again: %+v", again)
	}
	// A changed source needs no npm either: the packages are the same.
	s.write("server.js", "console.log(1)")
	changed := s.build(build.Release)
	if changed.Cached || changed.InputHash == first.InputHash {
		t.Errorf("changed: %+v", changed)
	}
	was, _ := first.Image.Layers()
	is, _ := changed.Image.Layers()
	for i := range is {
		before, _ := was[i].Digest()
		after, _ := is[i].Digest()
		if last := i == len(is)-1; (before != after) != last {
			t.Errorf("layer %d: %s → %s", i, before, after)
		}
	}
}

func TestDevImage(t *testing.T) {
	s := copyFixture(t, "plain")
	r := s.build(build.Dev)
	names := unpack(t, r.Image, t.TempDir())
	for _, name := range []string{"zr/zr-agent", "zr/seed/server.js", "zr/seed/package.json", "app/src/", "app/node_modules/ms/index.js", "app/node_modules/escape-string-regexp/index.js", "app/package-lock.json"} {
		if !names[name] {
			t.Errorf("%s is not in the image", name)
		}
	}
	c := configOf(t, r.Image)
	spec := `ZR_AGENT_SPEC={"dir":"/app/src","command":["node","server.js"]}`
	if !slices.Contains(c.Env, spec) || !slices.Equal(c.Entrypoint, []string{"/zr/zr-agent"}) || c.WorkingDir != "/app/src" {
		t.Errorf("config = %+v", c)
	}
}

func TestInputs(t *testing.T) {
	s := copyFixture(t, "plain")
	s.write(".gitignore", "*.log\n/dist/\n")
	s.write("lib/a.js", "1")
	s.write("x.log", "1")
	s.write("dist/out.js", "1")
	s.write("node_modules/ms/index.js", "1")
	// A file that is open in vim and in Emacs.
	s.write("lib/.a.js.swp", "1")
	s.write("lib/a.js~", "1")
	for link, to := range map[string]string{"lib/.#a.js": "me@here.1"} {
		if err := os.Symlink(to, filepath.Join(s.root, "web", link)); err != nil {
			t.Fatal(err)
		}
	}
	set, err := New(s.deps).Inputs(t.Context(), s.request(build.Release))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range set.Files() {
		names = append(names, f.Path)
	}
	want := []string{"web/.gitignore", "web/.npmrc", "web/lib/a.js", "web/package-lock.json", "web/package.json", "web/server.js"}
	if !slices.Equal(names, want) {
		t.Errorf("inputs %q, want %q", names, want)
	}
	for path, want := range map[string]bool{
		"web/lib/a.js": true, "web/lib/new.js": true, "web/new/deep/er.js": true, "web/x.log": false, "web/lib/y.log": false,
		"web/dist/new.js": false, "web/node_modules/x": false, "web/lib/node_modules/x.js": false, "other/x.js": false,
	} {
		if got := set.Contains(path); got != want {
			t.Errorf("Contains(%q) = %v, want %v", path, got, want)
		}
	}
	before := set.Sum()
	s.write("lib/sub/b.js", "2")
	if err := set.Refresh(t.Context()); err != nil || set.Sum() == before {
		t.Errorf("a new file in a new folder was not noticed: %v", err)
	}
	s.write(".gitignore", "*.log\n/dist/\nsub/\n")
	if err := set.Refresh(t.Context()); err != nil || set.Contains("web/lib/sub/b.js") {
		t.Errorf("an ignored file is an input: %v", err)
	}
	// The project becomes a folder of a work tree, whose rules count for it.
	s.write(".env.local", "TOKEN=x")
	if err := set.Refresh(t.Context()); err != nil || !slices.ContainsFunc(set.Files(), func(f build.InputFile) bool { return f.Path == "web/.env.local" }) {
		t.Errorf("a file that nothing ignores is no input: %v", err)
	}
	testkit.WriteFile(t, filepath.Join(s.root, "../.git/HEAD"), "ref: refs/heads/main")
	testkit.WriteFile(t, filepath.Join(s.root, "../.gitignore"), ".env.local\n")
	if set, err = New(s.deps).Inputs(t.Context(), s.request(build.Release)); err != nil || set.Contains("web/.env.local") {
		t.Errorf("what the work tree ignores is an input: %v", err)
	}
	testkit.WriteFile(t, filepath.Join(s.root, "../.gitignore"), "nothing\n")
	if err := set.Refresh(t.Context()); err != nil || !set.Contains("web/.env.local") {
		t.Errorf("what the work tree no longer ignores is no input: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		do         func(s *service)
		want, hint string
	}{
		"no manifest":  {func(s *service) { os.Remove(filepath.Join(s.root, "web/package.json")) }, "reading web/package.json", "package.json"},
		"no lock file": {func(s *service) { os.Remove(filepath.Join(s.root, "web/package-lock.json")) }, "finding the lock file", "npm install"},
		"outside": {func(s *service) {
			s.write("package.json", `{"dependencies":{"lib":"file:../lib"}}`)
			s.write("package-lock.json", `{"lockfileVersion":3,"packages":{"":{"dependencies":{"lib":"file:../lib"}},"../lib":{},"node_modules/lib":{"resolved":"../lib","link":true}}}`)
		}, "it installs ../lib, which is not in web", "folder that holds both"},
		"other lock file": {func(s *service) { s.write("package.json", `{"dependencies":{"ms":"2.0.0"}}`) }, "does not belong to this package.json", "npm install"},
	} {
		t.Run(name, func(t *testing.T) {
			s := copyFixture(t, "plain")
			c.do(s)
			_, err := build.Kinds{Kind}.With(s.deps).Build(t.Context(), s.request(build.Release))
			if err == nil || !strings.HasPrefix(err.Error(), `building image "web": `) || !strings.Contains(err.Error(), c.want) || !strings.Contains(fault.HintOf(err), c.hint) {
				t.Errorf("err = %v, hint %q", err, fault.HintOf(err))
			}
		})
	}
}

// TestWorkspaces: what is installed from folders of the project is found at run
// time, and a change of what they ask for installs anew.
func TestWorkspaces(t *testing.T) {
	s := copyFixture(t, "plain")
	s.write("package.json", `{"type":"module","workspaces":["packages/*"],"scripts":{"start":"node server.js"}}`)
	s.write("package-lock.json", `{"lockfileVersion":3,"packages":{"":{"workspaces":["packages/*"]},
		"node_modules/lib":{"resolved":"packages/lib","link":true},"packages/lib":{"version":"1.0.0"}}}`)
	s.write("packages/lib/package.json", `{"name":"lib","version":"1.0.0","type":"module","main":"index.js"}`)
	s.write("packages/lib/index.js", "export default 60000")
	s.write("packages/lib/.npmrc", "//registry.test/:_authToken=secret")
	server, err := os.ReadFile(filepath.Join(s.root, "web/server.js"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("server.js", strings.Replace(string(server), `import ms from "ms"`, `import lib from "lib"; const ms = () => lib`, 1))
	release := s.build(build.Release)
	root := t.TempDir()
	if names := unpack(t, release.Image, root); names["app/packages/lib/.npmrc"] {
		t.Error("the image has the registry's token")
	}
	if said := answer(t, release, root, "/"); said["minute"] != 60000.0 {
		t.Errorf("the service says %v", said)
	}
	// What npm puts into a workspace's own folder is not among the sources.
	s.write("package.json", `{"type":"module","workspaces":["packages/*"],"scripts":{"start":"node server.js",
		"build":"mkdir -p packages/lib/node_modules/x out/node_modules && touch packages/lib/node_modules/x/dev out/node_modules/made"}}`)
	if names := unpack(t, s.build(build.Release).Image, t.TempDir()); names["app/packages/lib/node_modules/x/dev"] || !names["app/out/node_modules/made"] {
		t.Errorf("the image has %v", names)
	}
	root = t.TempDir()
	unpack(t, s.build(build.Dev).Image, root)
	if target, err := os.Readlink(filepath.Join(root, "app/packages/lib")); err != nil || target != "/app/src/packages/lib" {
		t.Errorf("in dev, node_modules leads to %q, %v", target, err)
	}
	p, err := readProject(s.request(build.Release))
	if err != nil {
		t.Fatal(err)
	}
	before, _ := install{project: p}.key(t.Context(), nil)
	s.write("packages/lib/package.json", `{"name":"lib","version":"1.0.1"}`)
	if p, err = readProject(s.request(build.Release)); err != nil {
		t.Fatal(err)
	}
	if after, err := (install{project: p}).key(t.Context(), nil); err != nil || after == before {
		t.Errorf("a workspace's package.json does not count: %v", err)
	}
}

// TestNodeVersion: packages may be compiled for one version of Node.js.
func TestNodeVersion(t *testing.T) {
	s := copyFixture(t, "plain")
	key := func(version string) string {
		bin := t.TempDir()
		if err := os.WriteFile(filepath.Join(bin, "node"), []byte("#!/bin/sh\necho "+version+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
		p, err := readProject(s.request(build.Release))
		if err != nil {
			t.Fatal(err)
		}
		key, err := install{project: p}.key(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	if key("v22.1.0") == key("v24.0.0") {
		t.Error("packages that another Node.js compiled are taken")
	}
}

// TestTokens: npm gets the variables that .npmrc files name, and nothing else
// does; what is copied of such a file is for the user alone.
func TestTokens(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("NPM_TOKEN", "secret")
	t.Setenv("OTHER", "x")
	if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), npmConfig), []byte("//b/:_authToken=${OTHER?}\nc=${UNSET}"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{"NPM_TOKEN=secret", "OTHER=x"}
	if got := variables([]byte("//a/:_authToken=${NPM_TOKEN}"), userConfig()); !slices.Equal(got, want) {
		t.Errorf("npm gets %q, want %q", got, want)
	}
	s := copyFixture(t, "plain")
	bin := t.TempDir()
	real, err := exec.LookPath("npm")
	if err != nil {
		t.Fatal(err)
	}
	s.write(npmConfig, "omit-lockfile-registry-resolved=true\n; ${NPM_TOKEN}\n")
	s.write("package.json", `{"type":"module","scripts":{"build":"printenv NPM_TOKEN >token || true"},"dependencies":{"ms":"2.1.3"},"devDependencies":{"escape-string-regexp":"5.0.0"}}`)
	script := "#!/bin/sh\n[ $1 = run ] || [ \"$NPM_TOKEN\" = secret ] || exit 9\nexec " + real + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "npm"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	root := t.TempDir()
	unpack(t, s.build(build.Release).Image, root)
	if said, err := os.ReadFile(filepath.Join(root, "app/token")); err != nil || len(said) > 0 {
		t.Errorf("the build script got the token %q, %v", said, err)
	}
	copies, err := filepath.Glob(filepath.Join(s.deps.Cache, "*", "*", npmConfig))
	if err != nil || len(copies) == 0 {
		t.Fatalf("copies %q, %v", copies, err)
	}
	for _, file := range copies {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
}

func TestStart(t *testing.T) {
	for script, want := range map[string][]string{
		"node server.js":           {"node", "server.js"},
		"tsx src/main.ts --port 1": {"tsx", "src/main.ts", "--port", "1"},
		"node up.js && node x.js":  {"sh", "-c", "node up.js && exec node x.js"},
		"PORT=1 node server.js":    {"sh", "-c", "exec env PORT=1 node server.js"},
		"A=1 up; B='x y' node x":   {"sh", "-c", "A=1 up; B='x y' node x"},
		"node -e 'a && b'":         {"sh", "-c", "node -e 'a && b'"},
		"node x \"a b\"":           {"sh", "-c", "exec node x \"a b\""},
		"if a; then b; fi":         {"sh", "-c", "if a; then b; fi"},
		"node x | tee log":         {"sh", "-c", "node x | tee log"},
		"":                         {"node", "lib/main.js"},
	} {
		p := &project{manifest: manifest{Main: "lib/main.js", Scripts: map[string]string{"start": script}}}
		if got := p.start(); !slices.Equal(got, want) {
			t.Errorf("start script %q runs %q, want %q", script, got, want)
		}
	}
}

// TestStartInAShell: what makes the shell go is what a shell understands.
func TestStartInAShell(t *testing.T) {
	for _, script := range []string{"A=1 printenv -0 A", "true && B=2 printenv B", "true; exec printenv HOME"} {
		p := &project{manifest: manifest{Scripts: map[string]string{"start": script}}}
		start := exec.Command(p.start()[0], p.start()[1:]...)
		if out, err := start.CombinedOutput(); err != nil {
			t.Errorf("%q: %v: %s", start.Args, err, out)
		}
	}
}

// TestSymlinks: a symlink to a folder is the folder, wherever that is.
func TestSymlinks(t *testing.T) {
	s := copyFixture(t, "plain")
	testkit.WriteFile(t, filepath.Join(s.root, "shared/a.js"), "1")
	for name, target := range map[string]string{"shared": "../shared", "again": ".", "nowhere": "../missing", "../shared/back": "../web"} {
		if err := os.Symlink(target, filepath.Join(s.root, "web", name)); err != nil {
			t.Fatal(err)
		}
	}
	names := unpack(t, s.build(build.Release).Image, t.TempDir())
	if !names["app/shared/a.js"] || names["app/again/server.js"] || names["app/shared/back/server.js"] {
		t.Errorf("the image has %v", names)
	}
	before := s.build(build.Release).InputHash
	testkit.WriteFile(t, filepath.Join(s.root, "shared/b.js"), "2")
	if s.build(build.Release).InputHash == before {
		t.Error("a new file behind a link was not noticed")
	}
}
