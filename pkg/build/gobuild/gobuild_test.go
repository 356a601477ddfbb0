package gobuild

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/build/internal/buildtest"
	"zr/pkg/build/internal/inputs"
	"zr/pkg/config"
	"zr/pkg/image"
)

// project is a small Go project in a folder of its own.
type project struct {
	t    *testing.T
	root string
	deps build.Deps
	log  string // one line for each run of the go command
}

var sources = map[string]string{
	"go.mod":                "module example.test/shop\n\ngo 1.26\n",
	"cmd/api/main.go":       "package main\n\nimport \"example.test/shop/greet\"\n\nfunc main() { println(greet.Hello()) }\n",
	"greet/greet.go":        "package greet\n\nimport \"embed\"\n\n//go:embed words/*.txt\nvar words embed.FS\n\nfunc Hello() string { b, _ := words.ReadFile(\"words/hello.txt\"); return string(b) }\n",
	"greet/words/hello.txt": "hello",
	"greet/greet_test.go":   "package greet\n",
	"greet/on_windows.go":   "package greet\n",
	"other/other.go":        "package other\n",
}

func newProject(t *testing.T) *project {
	t.Helper()
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	p := &project{t: t, root: t.TempDir(), deps: build.Deps{Store: store, Cache: t.TempDir()}}
	for name, content := range sources {
		p.write(name, content)
	}
	p.countRuns()
	nextTick()
	return p
}

// nextTick lets the file system's clock move on: what is written within one tick
// of a list is looked at again, as it may not have been seen.
func nextTick() { time.Sleep(20 * time.Millisecond) }

// countRuns puts a go command before the real one that notes each run.
func (p *project) countRuns() {
	real, err := exec.LookPath("go")
	if err != nil {
		p.t.Fatal(err)
	}
	bin := p.t.TempDir()
	p.log = filepath.Join(bin, "log")
	script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >>%s\nexec %s \"$@\"\n", p.log, real)
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(script), 0o755); err != nil {
		p.t.Fatal(err)
	}
	p.t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

func (p *project) runs() []string {
	raw, err := os.ReadFile(p.log)
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	os.Remove(p.log)
	var verbs []string
	for line := range strings.Lines(string(raw)) {
		verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		verbs = append(verbs, verb)
	}
	slices.Sort(verbs)
	return verbs
}

func (p *project) write(name, content string) {
	p.t.Helper()
	testkit.WriteFile(p.t, filepath.Join(p.root, name), content)
}

func (p *project) request() build.Request {
	return build.Request{
		Service: "api", Project: "shop", Root: p.root, Platform: "linux/amd64",
		Mode: build.Release, Spec: config.Build{GoKeys: config.GoKeys{Go: "./cmd/api"}},
	}
}

func (p *project) build(change ...func(*build.Request)) build.Result {
	p.t.Helper()
	r := p.request()
	for _, c := range change {
		c(&r)
	}
	result, err := New(p.deps).Build(p.t.Context(), r)
	if err != nil {
		p.t.Fatal(err)
	}
	return result
}

// files returns what is in an image: path → mode, owner and, for small files,
// content.
func files(t *testing.T, img v1.Image) map[string]string {
	t.Helper()
	found := map[string]string{}
	buildtest.Walk(t, img, func(h *tar.Header, _ io.Reader) { found[h.Name] = fmt.Sprintf("%o %d", h.Mode, h.Uid) })
	return found
}

func TestImage(t *testing.T) {
	p := newProject(t)
	r := p.build()
	got := files(t, r.Image)
	for name, want := range map[string]string{
		"app/api": "755 0", "etc/passwd": "644 0", "etc/group": "644 0", "etc/ssl/certs/ca-certificates.crt": "644 0", "tmp/": "1777 0",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	config, err := r.Image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || !slices.Equal(config.Config.Entrypoint, []string{"/app/api"}) ||
		!slices.Contains(config.Config.Env, "ZR_BUILD_HASH="+r.InputHash) || config.OS != "linux" || config.Architecture != "amd64" {
		t.Errorf("config = %+v", config.Config)
	}
	if !strings.HasPrefix(r.Local(), "localhost/shop/api@sha256:") || len(r.InputHash) != 16 || r.Cached {
		t.Errorf("result = %+v", r)
	}
	want := []string{"cmd/api/main.go", "go.mod", "go.sum", "greet/greet.go", "greet/words/hello.txt", "vendor/modules.txt"}
	if !slices.Equal(r.Files, want) {
		t.Errorf("inputs %q, want %q", r.Files, want)
	}
}

func TestDevImage(t *testing.T) {
	p := newProject(t)
	p.write("bin/zr-agent", "agent")
	dev := func(r *build.Request) { r.Mode, r.Agent = build.Dev, filepath.Join(p.root, "bin/zr-agent") }
	r := p.build(dev)
	got := files(t, r.Image)
	if got["zr/zr-agent"] != "755 0" || got["zr/seed/api"] != "755 0" || got["app/"] == "" || got["app/api"] != "" {
		t.Errorf("files: %v", got)
	}
	config, err := r.Image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	spec := `ZR_AGENT_SPEC={"dir":"/app","command":["/app/api"]}`
	if !slices.Contains(config.Config.Env, spec) || !slices.Equal(config.Config.Entrypoint, []string{"/zr/zr-agent"}) {
		t.Errorf("config = %+v", config.Config)
	}
	if release := p.build(); release.InputHash != r.InputHash || release.Digest == r.Digest {
		t.Errorf("release %+v, dev %+v: want one input hash and two images", release, r)
	}
	if again := p.build(dev); !again.Cached {
		t.Error("the dev image was made again")
	}
	p.write("bin/zr-agent", "another agent")
	if again := p.build(dev); again.Cached {
		t.Error("a new agent did not make a new image")
	}
}

func TestTwoFoldersSameDigest(t *testing.T) {
	a, b := newProject(t).build(), newProject(t).build()
	if a.Digest != b.Digest || a.InputHash != b.InputHash {
		t.Errorf("built %s from %s, and %s from %s", a.Digest, a.InputHash, b.Digest, b.InputHash)
	}
}

func TestUnchangedRunsNothing(t *testing.T) {
	p := newProject(t)
	first := p.build()
	if got := p.runs(); !slices.Equal(got, []string{"build", "env", "list"}) {
		t.Errorf("first build ran %q", got)
	}
	second := p.build()
	if got := p.runs(); len(got) != 0 || !second.Cached || second.Digest != first.Digest {
		t.Errorf("second build ran %q, cached %v", got, second.Cached)
	}
}

func TestWhatAChangeCosts(t *testing.T) {
	for name, c := range map[string]struct {
		path, content string
		runs          []string
	}{
		"body of a function":      {"greet/greet.go", "package greet\n\nimport \"embed\"\n\n//go:embed words/*.txt\nvar words embed.FS\n\nfunc Hello() string { return \"other\" }\n", []string{"build"}},
		"an embedded file":        {"greet/words/hello.txt", "bye", []string{"build"}},
		"a new embedded file":     {"greet/words/new.txt", "new", []string{"build", "env", "list"}},
		"a new import":            {"cmd/api/main.go", "package main\n\nimport (\n\t\"example.test/shop/greet\"\n\t_ \"example.test/shop/other\"\n)\n\nfunc main() { println(greet.Hello()) }\n", []string{"build", "env", "list"}},
		"a new file of a package": {"greet/more.go", "package greet\n", []string{"build", "env", "list"}},
		"go.mod":                  {"go.mod", "module example.test/shop\n\ngo 1.26.0\n", []string{"build", "env", "list"}},
		"a test":                  {"greet/greet_test.go", "package greet\n\nvar x int\n", []string{}},
		"another package":         {"other/other.go", "package other\n\nvar x int\n", []string{}},
		"an editor's file":        {"greet/.greet.go.swp", "x", []string{}},
		"ignored by its name":     {"greet/on_windows.go", "package greet\n\nvar x int\n", []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t)
			before := p.build()
			p.runs()
			p.write(c.path, c.content)
			nextTick()
			after := p.build()
			if got := p.runs(); !slices.Equal(got, c.runs) && len(got)+len(c.runs) > 0 {
				t.Errorf("ran %q, want %q", got, c.runs)
			}
			if changed := len(c.runs) > 0; after.Cached == changed || (after.InputHash != before.InputHash) != changed {
				t.Errorf("cached %v, hash %s → %s", after.Cached, before.InputHash, after.InputHash)
			}
		})
	}
}

// TestBackAndForth: the image of a state that was built before is not built
// again.
func TestBackAndForth(t *testing.T) {
	p := newProject(t)
	first := p.build()
	p.write("greet/words/hello.txt", "bye")
	p.build()
	p.write("greet/words/hello.txt", "hello")
	if got := p.build(); !got.Cached || got.Digest != first.Digest {
		t.Errorf("cached %v, digest %s, want that of before, %s", got.Cached, got.Digest, first.Digest)
	}
}

func TestFailureShowsTheCompilersWords(t *testing.T) {
	p := newProject(t)
	p.write("cmd/api/main.go", "package main\n\nfunc main() {\n\tmissing()\n}\n")
	b := build.Kinds{Kind}.With(p.deps)
	_, err := b.Build(p.t.Context(), p.request())
	want := `building image "api": go build ./cmd/api: exit status 1: cmd/api/main.go:4:2: undefined: missing`
	if err == nil || err.Error() != want {
		t.Errorf("err = %v\nwant  %s", err, want)
	}
	p.write("cmd/api/main.go", "package main\n\nimport \"example.test/shop/nowhere\"\n\nfunc main() { nowhere.X() }\n")
	_, err = b.Build(p.t.Context(), p.request())
	if err == nil || !strings.Contains(err.Error(), "cmd/api/main.go:3:8: package example.test/shop/nowhere is not in std") && !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("err = %v", err)
	}
}

// TestModuleBelowTheRoot: a project may have modules below its root, and none at
// it. Complaints name files from the root all the same.
func TestModuleBelowTheRoot(t *testing.T) {
	p := newProject(t)
	if err := os.Mkdir(filepath.Join(p.root, "backend"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "cmd", "greet"} {
		if err := os.Rename(filepath.Join(p.root, name), filepath.Join(p.root, "backend", name)); err != nil {
			t.Fatal(err)
		}
	}
	nextTick()
	below := func(r *build.Request) { r.Spec.Go = "./backend/cmd/api" }
	if got := p.build(below); !slices.Contains(got.Files, "backend/greet/greet.go") || !slices.Contains(got.Files, "backend/go.mod") {
		t.Errorf("made from %q", got.Files)
	}
	p.write("backend/cmd/api/main.go", "package main\n\nfunc main() {\n\tmissing()\n}\n")
	r := p.request()
	below(&r)
	_, err := New(p.deps).Build(t.Context(), r)
	want := "go build ./backend/cmd/api: exit status 1: backend/cmd/api/main.go:4:2: undefined: missing"
	if err == nil || err.Error() != want {
		t.Errorf("err = %v\nwant  %s", err, want)
	}
}

// TestLinkedProject: where zr was started, and by which way the project was
// reached, says nothing about the sources.
func TestLinkedProject(t *testing.T) {
	p := newProject(t)
	want := p.build()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(p.root, link); err != nil {
		t.Fatal(err)
	}
	if got := p.build(func(r *build.Request) { r.Root = link }); got.InputHash != want.InputHash {
		t.Errorf("made from %q, hash %s, want %s", got.Files, got.InputHash, want.InputHash)
	}
}

// TestOtherToolchain: another go command on PATH is another compiler.
func TestOtherToolchain(t *testing.T) {
	p := newProject(t)
	first := p.build()
	other := t.TempDir()
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\ncase $1 in env) %[1]s \"$@\" | sed 's/\"go1[^\"]*\"/\"go1.99\"/' ;; *) exec %[1]s \"$@\" ;; esac\n", real)
	if err := os.WriteFile(filepath.Join(other, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", other+":"+os.Getenv("PATH"))
	if got := p.build(); got.Cached || got.InputHash == first.InputHash {
		t.Error("the image of the other compiler was taken")
	}
}

// TestProfile: the compiler optimises by a default.pgo beside the program.
func TestProfile(t *testing.T) {
	p := newProject(t)
	if set, err := New(p.deps).Inputs(t.Context(), p.request()); err != nil || !set.Contains("cmd/api/default.pgo") || set.Contains("greet/default.pgo") {
		t.Errorf("a profile that may come to be is not noticed: %v", err)
	}
	before := p.build().InputHash
	p.write("cmd/api/default.pgo", "a profile")
	set, err := New(p.deps).Inputs(t.Context(), p.request())
	if err != nil || set.Hash() == before {
		t.Errorf("the profile does not count: %v", err)
	}
	r := p.request()
	r.Spec.Flags = []string{"-pgo=profiles/api"}
	if set, err = New(p.deps).Inputs(t.Context(), r); err != nil || !set.Contains("profiles/api") {
		t.Errorf("the profile of a flag does not count: %v", err)
	}
}

func TestLiveCompiles(t *testing.T) {
	p := newProject(t)
	out := filepath.Join(t.TempDir(), "api")
	b := New(p.deps)
	set, err := b.Inputs(t.Context(), p.request())
	if err != nil {
		t.Fatal(err)
	}
	live, err := b.Live(p.request(), set, out)
	if err != nil {
		t.Fatal(err)
	}
	made, hash, err := live.Program.Compile(t.Context())
	if err != nil || made != out {
		t.Fatalf("compiled into %q, %v", made, err)
	}
	said, err := exec.Command(out).CombinedOutput()
	if err != nil || string(said) != "hello\n" {
		t.Errorf("the binary says %q, %v", said, err)
	}
	if want := p.build().InputHash; hash != want {
		t.Errorf("hash %s, the image's is %s", hash, want)
	}
}

// TestSavedWhileCompiling: the hash is that of what was compiled, not of what
// was there before or came after.
func TestSavedWhileCompiling(t *testing.T) {
	p := newProject(t)
	b := New(p.deps)
	set, err := b.Inputs(t.Context(), p.request())
	if err != nil {
		t.Fatal(err)
	}
	p.write("greet/words/hello.txt", "changed after the look")
	out := filepath.Join(t.TempDir(), "api")
	hash, err := b.compile(t.Context(), p.request(), set, out)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := b.Inputs(t.Context(), p.request())
	if err != nil || fresh.Hash() != hash {
		t.Errorf("hash %s, want %s, %v", hash, fresh.Hash(), err)
	}
	if said, _ := exec.Command(out).CombinedOutput(); string(said) != "changed after the look\n" {
		t.Errorf("the binary says %q", said)
	}
}

// TestCancel ends a compile that would take long, with its children.
func TestCancel(t *testing.T) {
	p := newProject(t)
	started := filepath.Join(t.TempDir(), "started")
	slow := fmt.Sprintf("-toolexec=sh -c 'echo $$ >%s; exec sleep 300' x", started)
	r := p.request()
	r.Spec.Flags = []string{slow}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- newToolchain(r).compile(ctx, filepath.Join(t.TempDir(), "x"), nil) }()
	var pid string
	for pid == "" {
		raw, _ := os.ReadFile(started)
		pid = strings.TrimSpace(string(raw))
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	for {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestContains(t *testing.T) {
	p := newProject(t)
	set, err := New(p.deps).Inputs(t.Context(), p.request())
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"cmd/api/main.go": true, "greet/new.go": true, "greet/words/hello.txt": true, "greet/words/new.txt": true, "go.mod": true, "go.sum": true, "go.work": true,
		"greet/greet_test.go": false, "other/other.go": false, "greet/readme.md": false, "greet/sub/x.go": false, "cmd/other/main.go": false,
		"greet": true, "greet/words": true, "cmd": true, ".": true, "other": false, "vendor": false, "..": false, "vendor/modules.txt": true,
	} {
		if got := set.Contains(path); got != want {
			t.Errorf("Contains(%q) = %v, want %v", path, got, want)
		}
	}
}

func TestShape(t *testing.T) {
	l := &lister{}
	base := "// comment\n//go:build linux\n\npackage a\n\nimport \"fmt\"\n\n//go:embed x\nvar X string\n"
	for name, c := range map[string]struct {
		content string
		same    bool
	}{
		"a body":       {base + "\nfunc f() {}\n", true},
		"broken body":  {base + "\nfunc f() {\n", true},
		"constraint":   {strings.Replace(base, "linux", "darwin", 1), false},
		"import":       {strings.Replace(base, "\"fmt\"", "\"os\"", 1), false},
		"embed":        {strings.Replace(base, "embed x", "embed y", 1), false},
		"package":      {strings.Replace(base, "package a", "package b", 1), false},
		"other words":  {strings.Replace(base, "// comment", "// remark", 1), true},
		"broken start": {"packag a", false},
	} {
		if got := l.Shape("a.go", []byte(c.content)) == l.Shape("a.go", []byte(base)); got != c.same {
			t.Errorf("%s: same shape %v, want %v", name, got, c.same)
		}
	}
	if l.Shape("/x/go.mod", []byte("a")) == l.Shape("/x/go.mod", []byte("b")) {
		t.Error("go.mod has the same shape whatever it says")
	}
}

// TestVendorOfAWorkspace: a vendor folder that comes to be beside go.work, and one that
// goes, changes what the program is compiled from.
func TestVendorOfAWorkspace(t *testing.T) {
	list := inputs.List{}
	(&lister{}).settings(&list, goEnv{GOWORK: "/p/work/go.work", GOMOD: "/p/work/svc/go.mod"})
	for _, file := range []string{"/p/work/vendor/modules.txt", "/p/work/svc/vendor/modules.txt"} {
		if !slices.Contains(list.Files, file) {
			t.Errorf("%s is not among %v", file, list.Files)
		}
	}
}

func TestLdflagsAreMerged(t *testing.T) {
	r := build.Request{Platform: "linux/arm64", Spec: config.Build{Flags: []string{"-tags=x", "-ldflags=-X main.v=1", "-ldflags", "-X main.w=2"}}}
	got := newToolchain(r)
	if got.ldflags != "-s -w -X main.v=1 -X main.w=2" || !slices.Equal(got.flags, []string{"-tags=x"}) || got.goarch != "arm64" {
		t.Errorf("toolchain = %+v", got)
	}
}
