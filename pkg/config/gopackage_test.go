package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/fault"
)

// TestGoPackagesAreChecked: what cannot be a program is said with its place, and
// what is the compiler's to say is left to it.
func TestGoPackagesAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		build string
		files map[string]string
		want  string // "" for nothing
	}{
		"a program":        {"{go: ./svc}", map[string]string{"svc/main.go": "package main\n"}, ""},
		"an import path":   {"{go: example.test/cmd/x}", nil, ""},
		"a single file":    {"{go: ./svc/main.go}", map[string]string{"svc/main.go": "package main\n"}, ""},
		"with its tests":   {"{go: ./svc}", map[string]string{"svc/main.go": "package main\n", "svc/main_test.go": "package main_test\n"}, ""},
		"no package":       {"{go: ./svc/words}", map[string]string{"svc/main.go": "package main\n", "svc/words/w.go": "package words\n"}, `3:17: services.api.build.go: svc/words is not a main package: it is package words (did you mean "./svc"?)`},
		"one folder lower": {"{go: ./svc}", map[string]string{"svc/README.md": "x", "svc/api/main.go": "package main\n"}, `svc has no Go files (did you mean "./svc/api"?)`},
		"no Go files":      {"{go: ./svc}", map[string]string{"svc/README.md": "x"}, "svc has no Go files (name the folder"},
		"only tests":       {"{go: ./svc}", map[string]string{"svc/main_test.go": "package main\n"}, "svc has no Go files"},
		"only for others":  {"{go: ./svc}", map[string]string{"svc/main_windows.go": "package main\n"}, "svc has no Go file that is built for linux without cgo"},
		"only with cgo":    {"{go: ./svc}", map[string]string{"svc/main.go": "package main\n\nimport \"C\"\n"}, "without cgo"},
		"by a tag":         {"{go: ./svc, flags: [\"-tags=a,b\"]}", map[string]string{"svc/main.go": "//go:build b\n\npackage main\n", "svc/w.go": "//go:build !b\n\npackage words\n"}, ""},
		"by two words":     {"{go: ./svc, flags: [-tags, b]}", map[string]string{"svc/main.go": "//go:build b\n\npackage main\n"}, ""},
		"lacks a file": {"{go: ./svc, files: [a.json, \"*.html\", templates]}", map[string]string{"svc/main.go": "package main\n", "svc/a.json": "x"},
			`3:28: services.api.build.files: svc has no "*.html" (paths are relative to the folder of the package)`},
		"does not parse": {"{go: ./svc}", map[string]string{"svc/main.go": "packag main\n"}, ""},
		"half of two":    {"{go: ./svc}", map[string]string{"svc/main.go": "package main\n", "svc/w.go": "package words\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			testkit.WriteFile(t, filepath.Join(root, "config/dev.yaml"), "project: shop\nservices:\n  api: {build: "+c.build+"}\n")
			for file, content := range c.files {
				testkit.WriteFile(t, filepath.Join(root, file), content)
			}
			cfg, err := Load(root, "dev")
			if err != nil {
				t.Fatal(err)
			}
			err = cfg.CheckSources()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || fault.Code(err) != fault.Usage) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
}

// TestOnlyRegularFilesAreRead: nobody writes to a FIFO, and /dev/zero has no end.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	root := t.TempDir()
	testkit.WriteFile(t, filepath.Join(root, "config/dev.yaml"), "project: shop\nservices: {api: {build: {go: .}}}\n")
	testkit.WriteFile(t, filepath.Join(root, "main.go"), "package main\n")
	err := errors.Join(syscall.Mkfifo(filepath.Join(root, "fifo.go"), 0o600), os.Symlink("/dev/zero", filepath.Join(root, "zero.go")))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.CheckSources(); err != nil {
		t.Error(err)
	}
}
