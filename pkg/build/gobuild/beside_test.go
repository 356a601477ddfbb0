package gobuild

import (
	"archive/tar"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/build/internal/buildtest"
	"zr/pkg/event"
)

func TestCopies(t *testing.T) {
	for name, c := range map[string]struct {
		dockerfile string
		want       []copied
	}{
		"of the last stage": {"FROM golang AS build\nCOPY . .\nFROM scratch\nWORKDIR /src\nCOPY --from=build /x /src/server\nCOPY ./templates ./templates\nCOPY static /src/static/\n",
			[]copied{{[]string{"templates"}, "templates"}, {[]string{"static"}, "static/"}}},
		"to the working folder": {"FROM x\nWORKDIR /a\nWORKDIR b\ncopy products.json .\nCOPY a.json /a/b\nADD --chown=1:1 c.json d.json ./data/\n",
			[]copied{{[]string{"products.json"}, "./"}, {[]string{"a.json"}, "./"}, {[]string{"c.json", "d.json"}, "data/"}}},
		"in other forms": {"# escape=`\n# a comment\nFROM x\r\nCOPY [\"a b.json\", \"./\"]\nCOPY a `\n  # between\n  b `\n\n  to/\n",
			[]copied{{[]string{"a b.json"}, "./"}, {[]string{"a", "b"}, "to/"}}},
		"with variables": {"ARG DIR=pages\nFROM x\nENV HOME /srv\nWORKDIR $HOME\nCOPY ${DIR}/x $HOME/y\nCOPY $UNKNOWN .\n",
			[]copied{{[]string{"pages/x"}, "y"}}},
		"not of here-documents":                 {"FROM x\nRUN <<EOF\nCOPY a b\nEOF\nCOPY <<-'END' note\n\tCOPY c d\n\tEND\nCOPY e f\n", []copied{{[]string{"e"}, "f"}}},
		"not what goes or comes from elsewhere": {"FROM x\nWORKDIR /app\nCOPY a /etc/a\nCOPY b ../b\nADD https://example.test/c c\nCOPY\nCOPY d\nCOPY --parents e f\n", nil},
		"out of the context":                    {"FROM x\nWORKDIR /app\nCOPY ../../etc/passwd p\n", []copied{{[]string{"etc/passwd"}, "p"}}},
		"of nothing":                            {"", nil},
	} {
		if got := copies([]byte(c.dockerfile)); !slices.EqualFunc(got, c.want, func(a, b copied) bool { return a.to == b.to && slices.Equal(a.from, b.from) }) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// beside writes files that the program reads into a project.
func (p *project) beside() {
	for name, content := range map[string]string{
		"cmd/api/templates/a.html": "a", "cmd/api/templates/sub/b.html": "b", "cmd/api/templates/.a.html.swp": "x",
		"cmd/api/static/style.css": "s", "cmd/api/products.json": "[]", "cmd/api/README.md": "x",
	} {
		p.write(name, content)
	}
	nextTick()
}

func content(t *testing.T, r build.Result) map[string]string {
	t.Helper()
	found := map[string]string{}
	buildtest.Walk(t, r.Image, func(h *tar.Header, body io.Reader) {
		if text, err := io.ReadAll(io.LimitReader(body, 100)); err == nil && h.Typeflag == tar.TypeReg && strings.HasPrefix(h.Name, "app/") && h.Name != "app/api" {
			found[h.Name] = string(text)
		}
	})
	return found
}

// TestFilesBesideTheProgram: what the program reads lies in its working folder, and
// makes the hash.
func TestFilesBesideTheProgram(t *testing.T) {
	p := newProject(t)
	p.beside()
	plain := p.build()
	if got := content(t, plain); len(got) > 0 {
		t.Errorf("without a word there is %v", got)
	}
	named := func(r *build.Request) { r.Spec.Files = []string{"templates", "*/*.css", "products.json"} }
	first := p.build(named)
	want := map[string]string{"app/templates/a.html": "a", "app/templates/sub/b.html": "b", "app/static/style.css": "s", "app/products.json": "[]"}
	if got := content(t, first); !maps.Equal(got, want) {
		t.Errorf("there is %v, want %v", got, want)
	}
	if again := p.build(named); !again.Cached {
		t.Error("built again")
	}
	p.write("cmd/api/templates/sub/new.html", "new")
	if after := p.build(named); after.InputHash == first.InputHash || content(t, after)["app/templates/sub/new.html"] != "new" {
		t.Error("a new file does not count")
	}
}

// TestWhatIsMadeAndWhatLiesBeside: a file beside the program is an input, but
// nothing is made from it, unless it is also compiled or embedded.
func TestWhatIsMadeAndWhatLiesBeside(t *testing.T) {
	p := newProject(t)
	p.beside()
	p.write("cmd/api/pages.go", "package main\n\nimport _ \"embed\"\n\n//go:embed static/style.css\nvar style string\n")
	r := p.request()
	r.Spec.Files = []string{"templates", "static", "data/*.json", "later"}
	set, err := New(p.deps).Inputs(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct{ is, loose bool }{
		"cmd/api/templates/a.html": {true, true}, "cmd/api/templates/sub/new.html": {true, true}, "cmd/api/templates": {true, true},
		"cmd/api/static/style.css": {true, false}, "cmd/api/static/other.css": {true, true},
		"cmd/api/later": {true, true}, "cmd/api/later/x": {true, true},
		"cmd/api/main.go": {true, false}, "cmd/api": {true, false}, "cmd/api/Dockerfile": {},
		"cmd/api/templates/.a.html.swp": {}, "cmd/api/README.md": {}, "cmd/api/data/x.json": {},
	} {
		if is, loose := set.Contains(path), set.Loose(path); is != want.is || loose != want.loose {
			t.Errorf("%s: an input %v, loose %v", path, is, loose)
		}
	}
	sum, made := set.Sum(), set.Made()
	p.write("cmd/api/templates/a.html", "other")
	if err := set.Refresh(t.Context()); err != nil || set.Sum() == sum || set.Made() != made {
		t.Errorf("a template: %v, sum %s → %s, made %s → %s", err, sum, set.Sum(), made, set.Made())
	}
	p.write("cmd/api/static/style.css", "other")
	if err := set.Refresh(t.Context()); err != nil || set.Made() == made {
		t.Errorf("an embedded file makes no difference: %v", err)
	}
}

// TestFilesThatTheDockerfileCopies: where the config names none, the folder's own
// Dockerfile tells, and it is said what was taken.
func TestFilesThatTheDockerfileCopies(t *testing.T) {
	p := newProject(t)
	p.beside()
	p.write("cmd/api/Dockerfile", "FROM golang AS build\nCOPY . .\nFROM scratch\nWORKDIR /src\nCOPY --from=build /api /src/api\n"+
		"COPY ./templates ./pages\nCOPY products.json .\nCOPY nowhere .\nCOPY cmd/api/static ./static\n")
	p.write("cmd/api/.dockerignore", "**/sub\n")
	var notices []string
	p.deps.Sink = event.SinkFunc(func(e event.Event) {
		if n, ok := e.(event.Notice); ok {
			notices = append(notices, n.Text)
		}
	})
	first := p.build()
	want := map[string]string{"app/pages/a.html": "a", "app/products.json": "[]", "app/static/style.css": "s"}
	if got := content(t, first); !maps.Equal(got, want) {
		t.Errorf("there is %v, want %v", got, want)
	}
	if want := "api: templates, products.json, cmd/api/static lies beside the program in its image, since cmd/api/Dockerfile copies it"; !slices.Equal(notices, []string{want}) {
		t.Errorf("said %q", notices)
	}
	p.write("cmd/api/Dockerfile", "FROM scratch\nWORKDIR /src\nCOPY templates .\n")
	if got := content(t, p.build()); !maps.Equal(got, map[string]string{"app/a.html": "a"}) {
		t.Errorf("after a change of the Dockerfile there is %v", got)
	}
	named := p.build(func(r *build.Request) { r.Spec.Files = []string{"static"} })
	if got := content(t, named); !maps.Equal(got, map[string]string{"app/static/style.css": "s"}) {
		t.Errorf("with files in the config there is %v", got)
	}
}

// TestOnlyRegularFilesLieBeside: symlinks to files are files; FIFOs and devices are
// nothing that an image holds.
func TestOnlyRegularFilesLieBeside(t *testing.T) {
	p := newProject(t)
	p.write("cmd/api/data/a", "a")
	for name, target := range map[string]string{"link": "a", "zero": "/dev/zero", "nowhere": "missing"} {
		if err := os.Symlink(target, filepath.Join(p.root, "cmd/api/data", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(p.root, "cmd/api/data/fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := p.build(func(r *build.Request) { r.Spec.Files = []string{"data"} })
	if got := content(t, r); !maps.Equal(got, map[string]string{"app/data/a": "a", "app/data/link": "a"}) {
		t.Errorf("there is %v", got)
	}
	p.write("cmd/api/api", "x")
	request := p.request()
	request.Spec.Files = []string{"api"}
	if _, err := New(p.deps).Build(t.Context(), request); err == nil || !strings.Contains(err.Error(), "take the place of the program") {
		t.Errorf("err = %v", err)
	}
}

func TestUnread(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"products.json", "templates/a.html", "static/css/x.css"} {
		testkit.WriteFile(t, filepath.Join(dir, name), "x")
	}
	exists := func(pattern string) bool {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		return len(found) > 0
	}
	for said, want := range map[string]string{
		"panic: open products.json: no such file or directory":                                        "products.json",
		`{"level":"fatal","msg":"failed to open: open ./products.json: no such file or directory"}`:   "products.json",
		"open /app/static/css/x.css: no such file or directory":                                       "static",
		"panic: html/template: pattern matches no files: `templates/*.html`\n\ngoroutine 1":           "templates",
		`msg="template: pattern matches no files: \"templates/*.html\""`:                              "",
		"stat templates: no such file or directory":                                                   "templates",
		"open missing.json: no such file or directory":                                                "",
		"open /etc/products.json: no such file or directory":                                          "",
		"open ../products.json: no such file or directory":                                            "",
		"open missing.json: no such file or directory\nopen products.json: no such file or directory": "products.json",
		"dial tcp: no such host": "",
	} {
		if got := unread(said, exists, nil); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
	if got := unread("open products.json: no such file or directory", exists, []string{"products.json"}); got != "" {
		t.Errorf("%q is there already", got)
	}
}
