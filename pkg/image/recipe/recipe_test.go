package recipe

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"zr/images"
	"zr/pkg/image"
)

func TestFind(t *testing.T) {
	tests := map[string]string{
		"postgres:15":                           "postgres",
		full(t, "postgres:15"):                  "postgres",
		"redis:7":                               "redis",
		"node:24":                               "nodejs",
		"debian:12-slim":                        "debian",
		"localhost/kindest/node:v1.37.2":        "kindnode",
		full(t, "kindest/node:v1.37.2"):         "kindnode",
		"postgres:16":                           "",
		"postgres":                              "",
		"localhost/postgres:15":                 "",
		"kindest/node:v1.37.2@sha256:" + zeroes: "",
		"not a reference":                       "",
	}
	for ref, want := range tests {
		r, ok := Find(ref)
		if r.Name() != want || ok != (want != "") {
			t.Errorf("Find(%q) = %q, %v; want %q", ref, r.Name(), ok, want)
		}
	}
}

// full returns the name under which a node knows an image.
func full(t *testing.T, ref string) string {
	t.Helper()
	name, err := image.Normalize(ref)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

var zeroes = strings.Repeat("0", 64)

func TestAll(t *testing.T) {
	var names []string
	for _, r := range all() {
		names = append(names, r.Name())
		if r.About() == "" || r.Key() == "" || len(r.Provides()) == 0 {
			t.Errorf("recipe %q: about %q, key %q, provides %v", r.Name(), r.About(), r.Key(), r.Provides())
		}
	}
	if diff := cmp.Diff([]string{"debian", "kindnode", "nodejs", "postgres", "redis"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestKey(t *testing.T) {
	base, err := load(images.FS)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		change  func(fstest.MapFS)
		changed []string
	}{
		"nothing": {func(fstest.MapFS) {}, nil},
		"a program's source": {func(f fstest.MapFS) {
			f["kindnode/_src/pause/main.go"] = &fstest.MapFile{Data: []byte("package main")}
		}, []string{"kindnode"}},
		"an entry point": {func(f fstest.MapFS) {
			f["redis/root/usr/local/bin/docker-entrypoint.sh"].Data = []byte("#!/bin/sh\n")
		}, []string{"redis"}},
		"what others go on": {func(f fstest.MapFS) {
			f["debian/recipe.yaml"].Data = append(f["debian/recipe.yaml"].Data, "# more\n"...)
		}, []string{"debian", "kindnode", "nodejs", "postgres", "redis"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files := copyFS(t, images.FS)
			test.change(files)
			recipes, err := load(files)
			if err != nil {
				t.Fatal(err)
			}
			var changed []string
			for i, r := range recipes {
				if r.Key() != base[i].Key() {
					changed = append(changed, r.Name())
				}
			}
			if diff := cmp.Diff(test.changed, changed); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The node's base files must be those of the kind library that makes the
// cluster, and the recipe's flags those that the rest of zr is built with.
func TestKindnodeAgreesWithTheModule(t *testing.T) {
	mod, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	r, _ := Find("localhost/kindest/node:v1.37.2")
	for _, m := range r.spec.Modules {
		if want := m.Path + " " + m.Version; !strings.Contains(string(mod), want) {
			t.Errorf("go.mod does not require %s", want)
		}
	}
	nodeMod, err := fs.ReadFile(images.FS, "kindnode/_src/go.mod.txt")
	if err != nil {
		t.Fatal(err)
	}
	library := regexp.MustCompile(`k8s\.io/client-go v0\.(\S+)`).FindSubmatch(mod)
	if library == nil || !strings.Contains(string(nodeMod), "k8s.io/client-go v0."+string(library[1])) {
		t.Errorf("the node's Kubernetes and client-go %s differ: what one compiles does not serve the other", library)
	}
}

func TestLoadRejects(t *testing.T) {
	valid := "about: x\nprovides: [x:1]\ndebian: {suite: bookworm, packages: [bash]}\n"
	tests := map[string]struct {
		files map[string]string
		want  string
	}{
		"no such parent":        {map[string]string{"a": "about: x\nprovides: [a:1]\nfrom: b\n"}, `there is no recipe "b"`},
		"a parent with parents": {map[string]string{"a": valid, "b": "about: x\nprovides: [b:1]\nfrom: a\n", "c": "about: x\nprovides: [c:1]\nfrom: b\n"}, "goes on another recipe itself"},
		"one name twice":        {map[string]string{"a": valid, "b": valid}, `is provided by "a"`},
		"an unknown key":        {map[string]string{"a": valid + "colour: red\n"}, "colour"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{}
			for folder, text := range test.files {
				files[folder+"/recipe.yaml"] = &fstest.MapFile{Data: []byte(text)}
			}
			_, err := load(files)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("load: %v; want it to say %q", err, test.want)
			}
		})
	}
}

func TestParseReportsEverythingAtOnce(t *testing.T) {
	_, err := parse([]byte(`
provides: ["not a reference"]
users: [{name: Root, id: 0, home: data, shell: sh}]
debian:
  packages: ["bash; rm -rf /"]
  without: [/etc, "[x"]
npm: [{arch: amd64, package: p, version: "1", integrity: sha1-x, files: {a: b}}]
modules: [{env: x, path: p, version: v1, sum: s}]
generate: {program: p, layers: [a]}
directories: [{path: /data, mode: 0755}]
links: {../up: x}
`))
	if err == nil {
		t.Fatal("parse accepted it")
	}
	for _, want := range []string{
		"about:", "provides:", "users:", "suite:", "is no package name", `"/etc" is no relative glob`, `"[x" is no relative glob`,
		"npm:", "modules:", "generate:", "directories:", "links:",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
}

func copyFS(t *testing.T, from fs.FS) fstest.MapFS {
	t.Helper()
	to := fstest.MapFS{}
	err := fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(from, name)
		to[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}
