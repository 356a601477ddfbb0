package gobuild

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"zr/pkg/build"
	"zr/pkg/fault"
)

// TestWhatTheGoCommandSays: of each way in which a program cannot be built, an
// error has the words that are for people, with files as the project names them,
// and what can be done about it.
func TestWhatTheGoCommandSays(t *testing.T) {
	importing := func(path string) string { return "package main\n\nimport _ \"" + path + "\"\n\nfunc main() {}\n" }
	for name, c := range map[string]struct {
		files map[string]string
		want  string
		hint  string
	}{
		"missing import": {
			map[string]string{"cmd/api/main.go": importing("shop/nowhere")},
			"cmd/api/main.go:3:8: package shop/nowhere is not in std", "the module's name in go.mod",
		},
		"import cycle": {
			map[string]string{
				"cmd/api/main.go": importing("example.test/shop/a"),
				"a/a.go":          "package a\n\nimport _ \"example.test/shop/b\"\n", "b/b.go": "package b\n\nimport _ \"example.test/shop/a\"\n",
			},
			"package example.test/shop/cmd/api\n\timports example.test/shop/a from main.go\n\timports example.test/shop/b from a.go\n\timports example.test/shop/a from b.go: import cycle not allowed",
			"into one that imports neither",
		},
		"only with cgo": {
			map[string]string{"cmd/api/main.go": importing("example.test/shop/c"), "c/c.go": "package c\n\nimport \"C\"\n"},
			"package example.test/shop/cmd/api\n\timports example.test/shop/c: the package needs cgo; zr builds without it (c/c.go imports \"C\")", "pure Go",
		},
		"the program only with cgo": {
			map[string]string{"cmd/api/main.go": importing("C")},
			"example.test/shop/cmd/api: the package needs cgo; zr builds without it (cmd/api/main.go imports \"C\")", "pure Go",
		},
		"module that go.mod lacks": {
			map[string]string{"cmd/api/main.go": importing("module.test/lacking")},
			"cmd/api/main.go:3:8: no required module provides package module.test/lacking; to add it:\n\tgo get module.test/lacking", "go mod tidy",
		},
		"module that cannot be had": {
			map[string]string{
				"cmd/api/main.go": importing("module.test/gone"),
				"go.mod":          "module example.test/shop\n\ngo 1.26\n\nrequire module.test/gone v1.0.0\n",
				"go.sum":          "module.test/gone v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nmodule.test/gone v1.0.0/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
			},
			"connection refused", "GOPROXY",
		},
		"no go.mod": {map[string]string{"go.mod": ""}, "go.mod file not found in current directory or any parent directory", "go mod init"},
		"a package that is no program": {
			map[string]string{"cmd/api/main.go": "package words\n"},
			"cmd/api is not a main package: it is package words", "package main",
		},
		"a folder without Go files": {map[string]string{"cmd/api/main.go": "", "cmd/api/README.md": "x"}, "no Go files in cmd/api", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t)
			t.Setenv("GOPROXY", "http://127.0.0.1:1")
			t.Setenv("GOFLAGS", "-mod=mod") // zr's own count, not these
			for _, file := range slices.Sorted(maps.Keys(c.files)) {
				if c.files[file] == "" {
					if err := os.Remove(filepath.Join(p.root, file)); err != nil {
						t.Fatal(err)
					}
					continue
				}
				p.write(file, c.files[file])
			}
			_, err := build.Kinds{Kind}.With(p.deps).Build(t.Context(), p.request())
			if err == nil || !strings.HasSuffix(strings.TrimSuffix(err.Error(), "; see 'go help modules'"), c.want) || strings.Contains(err.Error(), p.root) || strings.Contains(err.Error(), "{") {
				t.Errorf("err = %v\nwant     %s", err, c.want)
			}
			if hint := fault.HintOf(err); !strings.Contains(hint, c.hint) {
				t.Errorf("hint = %q, want %q", hint, c.hint)
			}
		})
	}
}

// TestPipesAreNotWaitedFor: the go command reads what has the name of a Go file, for
// ever where nobody writes to it. The file is named, and no command stays.
func TestPipesAreNotWaitedFor(t *testing.T) {
	p := newProject(t)
	if err := syscall.Mkfifo(filepath.Join(p.root, "greet/fifo.go"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := build.Kinds{Kind}.With(p.deps).Build(t.Context(), p.request())
	want := `building image "api": greet/fifo.go is not a regular file, and the go command waits for what it holds`
	if err == nil || err.Error() != want || !strings.Contains(fault.HintOf(err), "remove it") {
		t.Fatalf("err = %v\nwant  %s", err, want)
	}
	if dirs, _ := filepath.Glob("/proc/[0-9]*/cwd"); len(dirs) > 0 { // on Linux
		for _, dir := range dirs {
			if cwd, err := os.Readlink(dir); err == nil && cwd == p.root {
				t.Errorf("%s is there still", filepath.Dir(dir))
			}
		}
	}
	if err := os.Remove(filepath.Join(p.root, "greet/fifo.go")); err != nil {
		t.Fatal(err)
	}
	p.build()
}
