package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/lab"
)

// TestInit has sources and nothing else: two commands later they run, at the addresses
// that zr says, and so does a service that is added.
func TestInit(t *testing.T) {
	p := lab.NewProject(t, "examples/hello", "zrtest-init", nil)
	sources, named := p.Dir, filepath.Join(t.TempDir(), p.Name)
	if err := os.Rename(sources, named); err != nil {
		t.Fatal(err)
	}
	p.Dir = named // a project is called like its folder
	for _, made := range []string{"config", "kustomize"} {
		if err := os.RemoveAll(p.Path(made)); err != nil {
			t.Fatal(err)
		}
	}
	said := p.Must("init").Stdout
	for _, want := range []string{"greeter  go, since its Go files say `package main`", "web      node, since it has a package.json", "listens on 8081", "Next: zr up"} {
		if !strings.Contains(said, want) {
			t.Errorf("zr init does not say %q:\n%s", want, said)
		}
	}
	overlay := "kustomize/overlays/dev/"
	p.Replace(overlay+"greeter.yaml", "port: 8080,", "port: 20610,") // other programs of this machine may have those
	p.Replace(overlay+"web.yaml", "port: 8081,", "port: 20611,")
	p.Must("up")
	for _, url := range []string{"http://localhost:20610/health", "http://localhost:20611/health"} {
		if got := lab.Get(t, url); !strings.Contains(got, `"status":"ok"`) {
			t.Errorf("%s answers %q", url, got)
		}
	}
	p.Write("second/main.go", strings.ReplaceAll(p.Read("greeter/main.go"), "8080", "8085"))
	p.Must("init", "second")
	p.Replace(overlay+"second.yaml", "port: 8085,", "port: 20612,")
	p.Must("up")
	if got := lab.Get(t, "http://localhost:20612/health"); !strings.Contains(got, `"status":"ok"`) {
		t.Errorf("the service that was added answers %q", got)
	}
}
