package node

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zr/pkg/build"
)

// TestAnInstallOfOnlyDevDependencies: npm makes no node_modules where nothing is
// left to install.
func TestAnInstallOfOnlyDevDependencies(t *testing.T) {
	s := copyFixture(t, "typescript")
	root := t.TempDir()
	r := s.build(build.Release)
	if names := unpack(t, r.Image, root); names["app/node_modules/typescript/package.json"] || !names["app/dist/index.js"] {
		t.Errorf("the image has %v", names)
	}
	if said := answer(t, r, root, "/"); said["text"] != "one" || said["build"] != r.InputHash {
		t.Errorf("the service says %v", said)
	}
}

// TestAnInstallThatReadsFilesOfTheProject: what patch-package patches, which
// only development depends on, is patched in both kinds of image, whichever is
// made first, and anew when a patch changes, but not when a source does.
func TestAnInstallThatReadsFilesOfTheProject(t *testing.T) {
	for _, order := range [][]build.Mode{{build.Release, build.Dev}, {build.Dev, build.Release}} {
		s := copyFixture(t, "patched")
		for _, mode := range order {
			root := t.TempDir()
			r := s.build(mode)
			names := unpack(t, r.Image, root)
			if mode == build.Release && names["app/node_modules/patch-package/package.json"] {
				t.Error("the release has what only development depends on")
			}
			if module := readFile(t, root, "app/node_modules/ms/index.js"); !bytes.Contains(module, []byte("PATCHED")) {
				t.Errorf("%v: %s is not patched", order, mode)
			}
		}
		if order[0] == build.Dev {
			continue
		}
		s.write("server.js", "process.exit(1)")
		if npm := npmRuns(t, func() { s.build(build.Release) }); npm != "" {
			t.Errorf("a source was saved, and npm was run in a folder with\n%s", npm)
		}
		patch := readFile(t, s.root, "web/patches/ms+2.1.3.patch")
		s.write("patches/ms+2.1.3.patch", strings.Replace(string(patch), "PATCHED", "CHANGED", 1))
		root := t.TempDir()
		unpack(t, s.build(build.Release).Image, root)
		if module := readFile(t, root, "app/node_modules/ms/index.js"); !bytes.Contains(module, []byte("CHANGED")) {
			t.Error("another patch was not applied")
		}
	}
}

// TestAnInstallThatRunsAScriptOfTheProject: it finds its files, what it writes is
// in the image, and all that it can read counts.
func TestAnInstallThatRunsAScriptOfTheProject(t *testing.T) {
	images := map[build.Mode]string{}
	for _, order := range [][]build.Mode{{build.Release, build.Dev}, {build.Dev, build.Release}} {
		s := copyFixture(t, "plain")
		s.write("package.json", `{"type":"module","main":"server.js","scripts":{"postinstall":"node scripts/setup.mjs"},"dependencies":{"ms":"2.1.3"},"devDependencies":{"escape-string-regexp":"5.0.0"}}`)
		s.write("scripts/setup.mjs", `import fs from "node:fs"; fs.mkdirSync("generated", { recursive: true });
			fs.writeFileSync("generated/words.js", "export default " + fs.readFileSync("words.json"));
			fs.appendFileSync("node_modules/ms/index.js", "\n// " + fs.readFileSync("words.json"));`)
		s.write("words.json", `"first"`)
		for _, mode := range order {
			r := s.build(mode)
			if was := images[mode]; was != "" && was != r.Digest {
				t.Errorf("%s depends on what was made before: %s, %s", mode, was, r.Digest)
			}
			images[mode] = r.Digest
			root := t.TempDir()
			unpack(t, r.Image, root)
			at := map[build.Mode]string{build.Release: "app", build.Dev: "zr/seed"}[mode]
			if words := readFile(t, root, at+"/generated/words.js"); string(words) != `export default "first"` {
				t.Errorf("%s: %q", mode, words)
			}
		}
		s.write("words.json", `"second"`)
		root := t.TempDir()
		unpack(t, s.build(build.Release).Image, root)
		if words := readFile(t, root, "app/generated/words.js"); string(words) != `export default "second"` || !bytes.Contains(readFile(t, root, "app/node_modules/ms/index.js"), []byte("second")) {
			t.Errorf("after a change of what the script reads: %q", words)
		}
	}
}

// TestAnInstallSeesNoLeftovers: where no script of the project runs, an install
// finds no source, whatever was built in the folder before.
func TestAnInstallSeesNoLeftovers(t *testing.T) {
	s := copyFixture(t, "plain")
	s.build(build.Dev)
	work, err := filepath.Glob(filepath.Join(s.deps.Cache, "shop-web-*", "source"))
	if err != nil || len(work) != 1 || !exists(filepath.Join(work[0], "server.js")) {
		t.Fatalf("work copies %q, %v", work, err)
	}
	s.write(npmConfig, "omit-lockfile-registry-resolved=true\nfund=false\n") // another install
	if got := npmRuns(t, func() { s.build(build.Dev) }); got != ".npmrc\npackage-lock.json\npackage.json\n" {
		t.Errorf("npm was run in a folder with\n%s", got)
	}
}

func TestWhatScriptsRead(t *testing.T) {
	for script, want := range map[string][]string{
		"patch-package":                              {"patches"},
		"npx patch-package --error-on-fail":          {"patches"},
		"patch-package --patch-dir tools/p && husky": {"tools/p"},
		"patch-package --patch-dir=./p":              {"p"},
		"husky || true":                              nil,
		"is-ci || husky install":                     nil,
		"node scripts/setup.js":                      {everything},
		"patch-package && node x":                    {everything},
		"echo $(cat x)":                              {everything},
	} {
		if got := scriptReads(script); !slices.Equal(got, want) {
			t.Errorf("%q reads %q, want %q", script, got, want)
		}
	}
}

// npmRuns returns what the folders hold in which f has npm run.
func npmRuns(t *testing.T, f func()) string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	seen := filepath.Join(bin, "seen")
	if err := os.WriteFile(filepath.Join(bin, "npm"), []byte("#!/bin/sh\nls -A >>"+seen+"\nexec "+npm+" \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := os.Getenv("PATH")
	t.Setenv("PATH", bin+":"+path)
	f()
	t.Setenv("PATH", path)
	said, err := os.ReadFile(seen)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(said)
}

func readFile(t *testing.T, root, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestScriptsForAnotherPlatform: those of packages would build for this machine,
// those of the project run all the same.
func TestScriptsForAnotherPlatform(t *testing.T) {
	s := copyFixture(t, "plain")
	s.write("package.json", `{"type":"module","main":"server.js","scripts":{"postinstall":"node setup.mjs"},"dependencies":{"ms":"2.1.3"},"devDependencies":{"escape-string-regexp":"5.0.0"}}`)
	s.write("setup.mjs", `import fs from "node:fs"; fs.appendFileSync("node_modules/ms/index.js", "// set up");`)
	r := s.request(build.Release)
	r.Platform = "linux/s390x"
	result, err := New(s.deps).Build(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	names := unpack(t, result.Image, root)
	if !bytes.HasSuffix(readFile(t, root, "app/node_modules/ms/index.js"), []byte("// set up")) || names["app/node_modules/escape-string-regexp/index.js"] {
		t.Errorf("the script did not run, or too much is there: %v", names)
	}
}
