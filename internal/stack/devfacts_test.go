package stack

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"zr/internal/testkit"
	"zr/pkg/event"
)

// TestOtherServices edits the configuration and the overlay while a `zr dev`
// with the services of before is under way.
func TestOtherServices(t *testing.T) {
	const before = "project: tiny\nservices:\n  web: {build: {node: web}}\n"
	overlay := strings.ReplaceAll(testkit.Overlay, "example/web:1", "web")
	tests := map[string]struct {
		config, overlay string
		want            error
	}{
		"a setting":         {config: before + "settings: {A: b}\n"},
		"a port":            {overlay: strings.Replace(overlay, "port: 80,", "port: 82,", 1)},
		"a service more":    {config: before + "  db: {build: {dockerfile: db}}\n", want: errRewired},
		"a service less":    {config: "project: tiny\nservices:\n  web: {}\n", overlay: strings.ReplaceAll(overlay, "image: \"web\"", "image: \"example/web:1\""), want: errRewired},
		"another build":     {config: strings.Replace(before, "node: web", "go: ./web", 1), want: errRewired},
		"another container": {overlay: strings.Replace(overlay, "{name: web, image", "{name: main, image", 1), want: errRewired},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			db := strings.ReplaceAll(overlay[:strings.Index(overlay, "---")], "web", "db")
			s := stackOf(t, map[string]string{
				"config/dev.yaml": before,
				"kustomize/overlays/dev/kustomization.yaml": "resources: [all.yaml, db.yaml]\n",
				"kustomize/overlays/dev/all.yaml":           overlay, "kustomize/overlays/dev/db.yaml": db,
				"web/package.json": "{}", "web/main.go": "package main", "db": "FROM scratch",
			})
			s.dev = &devMode{agent: "zr-agent"}
			d := newDev(s)
			publishAnew(t, d)
			wired := d.facts.Load().wiring
			if err := d.rewired(wired); err != nil {
				t.Fatal(err)
			}
			for path, text := range map[string]string{"config/dev.yaml": tt.config, "kustomize/overlays/dev/all.yaml": tt.overlay} {
				if text == "" {
					continue
				}
				if err := os.WriteFile(filepath.Join(s.cfg.Root, path), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := d.rewired(wired); err != nil {
				t.Error("what is not applied yet counts")
			}
			publishAnew(t, d)
			if err := d.rewired(wired); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// publishAnew renders what a `zr dev` has read last, and publishes it.
func publishAnew(t *testing.T, d *Dev) {
	t.Helper()
	p, err := d.env.current.stack.render(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.env.current.take(p)
	d.publish(d.env.current)
}

// TestARenamedServiceIsGone has one under another name from one apply to the next:
// nothing waits for the one before any more.
func TestARenamedServiceIsGone(t *testing.T) {
	s := stackOf(t, testkit.Project("project: tiny\nservices: {web: {}}\n"))
	var seen testkit.Recorder
	s.sink = &seen
	d := newDev(s)
	publishAnew(t, d)
	publishAnew(t, d)
	path := filepath.Join(s.cfg.Root, "kustomize/overlays/dev/all.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(testkit.Overlay, "name: web", "name: front")), 0o600); err != nil {
		t.Fatal(err)
	}
	s.cfg.Services = nil
	publishAnew(t, d)
	want := []event.Event{event.ServiceState{Service: "web", State: event.Removed}}
	if diff := cmp.Diff(want, seen.Events()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if f := d.facts.Load(); f.runs("web") || !f.runs("front") {
		t.Errorf("what runs is %q", f.services)
	}
}
