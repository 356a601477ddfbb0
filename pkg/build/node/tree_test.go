package node

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/fault"
)

// live is a service whose files are made for live reload.
type live struct {
	*service
	set    *build.InputSet
	folder *build.Folder
}

func goLive(t *testing.T, s *service) *live {
	t.Helper()
	b, r := New(s.deps), s.request(build.Dev)
	set, err := b.Inputs(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	made, err := b.Live(r, set, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &live{s, set, made.Folder}
}

// built saves nothing more and returns what is sent.
func (l *live) built() (map[string]string, error) {
	l.t.Helper()
	if err := l.set.Refresh(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	files, hash, err := l.folder.Command(l.t.Context())
	if err == nil && hash != l.set.Hash() {
		l.t.Errorf("hash %s, the inputs are %s", hash, l.set.Hash())
	}
	return files, err
}

// TestWhatIsSentIsWhatTheBuildMakes, at each save: a build that fails changes
// nothing, and an output whose source went goes with it.
func TestWhatIsSentIsWhatTheBuildMakes(t *testing.T) {
	l := goLive(t, copyFixture(t, "typescript"))
	files, err := l.built()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{".gitignore", "dist/index.js", "dist/text.js", "package-lock.json", "package.json", "src/index.ts", "src/text.ts", "tsconfig.json"}
	if names := slices.Sorted(maps.Keys(files)); !slices.Equal(names, want) {
		t.Errorf("sent are %q, want %q", names, want)
	}
	l.write("src/text.ts", "export const text = (): string => \"two\";\n")
	l.write("src/extra.ts", "export const extra = 1;\n")
	if files, err = l.built(); err != nil || files["dist/extra.js"] == "" || !strings.Contains(string(readFile(t, "/", files["dist/text.js"])), "two") {
		t.Fatalf("after a save: %v, %v", files, err)
	}
	l.write("src/text.ts", "export const text = (): string => 3;\n")
	if _, err := l.built(); err == nil || !strings.Contains(err.Error(), "npm run build: exit status 2: web/src/text.ts(1,35): error TS2322") {
		t.Errorf("a type error: %v", err)
	}
	if text := readFile(t, "/", files["dist/text.js"]); !strings.Contains(string(text), "two") {
		t.Errorf("a build that failed left %s", text)
	}
	l.write("src/text.ts", "export const text = (): string => \"four\";\n")
	if err := os.Remove(filepath.Join(l.root, "web/src/extra.ts")); err != nil {
		t.Fatal(err)
	}
	extra := files["dist/extra.js"]
	if files, err = l.built(); err != nil || files["dist/extra.js"] != "" || files["dist/text.js"] == "" || exists(extra) {
		t.Errorf("after a source went: %v, %v", files, err)
	}
}

// buildTool writes only what differs, as compilers do that keep notes.
const buildTool = `import fs from "node:fs";
const { out } = JSON.parse(fs.readFileSync("build.json"));
fs.mkdirSync(out, { recursive: true });
for (const name of fs.readdirSync("src")) {
  const text = fs.readFileSync("src/" + name, "utf8"), to = out + "/" + name;
  if (!fs.existsSync(to) || fs.readFileSync(to, "utf8") !== text) fs.writeFileSync(to, text);
}
`

// TestOutputsThatAreKept save a compiler work; what says where they go makes all
// of them anew.
func TestOutputsThatAreKept(t *testing.T) {
	s := copyFixture(t, "plain")
	manifest := `{"main":"out/a.js","scripts":{"build":"node tools/build.mjs"}}`
	for name, content := range map[string]string{"package.json": manifest, "tools/build.mjs": buildTool, "build.json": `{"out":"out"}`, "src/a.js": "1", "src/b.js": "1"} {
		s.write(name, content)
	}
	l := goLive(t, s)
	if _, err := l.built(); err != nil {
		t.Fatal(err)
	}
	work, err := filepath.Glob(filepath.Join(s.deps.Cache, "shop-web-*", "source", "out", "b.js"))
	if err != nil || len(work) != 1 {
		t.Fatalf("work copies %q, %v", work, err)
	}
	before, err := os.Stat(work[0])
	if err != nil {
		t.Fatal(err)
	}
	l.write("src/a.js", "2")
	if files, err := l.built(); err != nil || string(readFile(t, "/", files["out/a.js"])) != "2" {
		t.Fatalf("after a save: %v, %v", files, err)
	}
	if after, err := os.Stat(work[0]); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("what did not change was made again: %v", err)
	}
	l.service.build(build.Dev) // from nothing, whatever was kept
	if after, err := os.Stat(work[0]); err != nil || after.ModTime().Equal(before.ModTime()) {
		t.Errorf("the image has what was kept: %v", err)
	}
	l.write("build.json", `{"out":"lib"}`)
	l.write("package.json", strings.Replace(manifest, "out/", "lib/", 1))
	if files, err := l.built(); err != nil || files["lib/b.js"] == "" || files["out/b.js"] != "" {
		t.Errorf("with another folder for outputs: %v, %v", files, err)
	}
}

// TestWhatTheInstallMadeIsSent beside the sources, and a save of what the install
// reads is told from others.
func TestWhatTheInstallMadeIsSent(t *testing.T) {
	s := copyFixture(t, "plain")
	s.write("package.json", `{"type":"module","main":"server.js","scripts":{"postinstall":"echo made >made.txt"}}`)
	if err := os.Remove(filepath.Join(s.root, "web/package-lock.json")); err != nil {
		t.Fatal(err)
	}
	l := goLive(t, s)
	made, err := l.folder.Made(t.Context())
	if err != nil || string(readFile(t, "/", made["made.txt"])) != "made\n" || len(made) != 1 {
		t.Errorf("made are %v, %v", made, err)
	}
	if l = goLive(t, copyFixture(t, "patched")); l.folder.Rebuilds("patches/ms+2.1.3.patch") == "" || l.folder.Rebuilds("package.json") == "" || l.folder.Rebuilds("server.js") != "" {
		t.Error("an install reads patches and no sources")
	}
}

// TestAMainFileThatIsNotThere is said before anything is deployed.
func TestAMainFileThatIsNotThere(t *testing.T) {
	for name, c := range map[string]struct {
		manifest string
		mode     build.Mode
		command  []string
		want     string // nothing where it is fine
		hint     string
	}{
		"not made by the build": {`"main":"dist/index.js","scripts":{"build":"true"}`, build.Release, nil, "web/dist/index.js is not there after npm run build", "web/package.json runs"},
		"not made for dev":      {`"scripts":{"build":"true","start":"node -r ./server.js dist/x"}`, build.Dev, nil, "web/dist/x is not there after npm run build", "dev: {command: [node, <file>]}"},
		"not there":             {`"scripts":{"start":"node ./main.js"}`, build.Release, nil, "web/main.js is not there", "a script named build"},
		"not named":             {`"name":"x"`, build.Dev, nil, "no start script and no main, and there is no index.js", "services: {web: {build: {node: web, dev: {command: ["},
		"a command for dev":     {`"main":"dist/index.js"`, build.Dev, []string{"npx", "tsx", "server.ts"}, "", ""},
		"without its ending":    {`"main":"lib/server"`, build.Release, nil, "", ""},
		"a folder":              {`"main":"lib"`, build.Release, nil, "", ""},
		"behind flags":          {`"scripts":{"start":"node --import ./no.js --enable-source-maps server.js"}`, build.Release, nil, "", ""},
		"of a package":          {`"scripts":{"start":"node node_modules/x/cli.js"}`, build.Release, nil, "", ""},
		"no node":               {`"scripts":{"start":"tsx nowhere.ts"}`, build.Release, nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := copyFixture(t, "plain")
			agent := filepath.Join(s.root, "agent")
			testkit.WriteFile(t, agent, "agent")
			if name == "not named" {
				if err := os.Remove(filepath.Join(s.root, "web/server.js")); err != nil {
					t.Fatal(err)
				}
			}
			s.write("package.json", "{"+c.manifest+"}")
			s.write("lib/server.js", "")
			s.write("lib/index.js", "")
			r := s.request(c.mode)
			r.Spec.Dev.Command, r.Agent = c.command, agent
			_, err := New(s.deps).Build(t.Context(), r)
			if err != nil {
				own := r
				own.OwnCommand = true
				if _, err := New(s.deps).Build(t.Context(), own); err != nil {
					t.Errorf("with a command of the manifest: %v", err)
				}
			}
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(fault.HintOf(err), c.hint) {
				t.Errorf("got %v (%s)", err, fault.HintOf(err))
			}
		})
	}
}
