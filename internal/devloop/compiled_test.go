package devloop

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/event"
	"zr/pkg/livesync"
)

// rebuildsFor has the image made anew with one file, as a build.Folder says it.
func rebuildsFor(name string) func(string) string {
	return func(below string) string {
		if below == name {
			return "the image has it"
		}
		return ""
	}
}

// TestCompiled: what the build makes is sent as a whole and runs anew, and a build
// that fails sends nothing.
func TestCompiled(t *testing.T) {
	c, in := &container{}, &inputs{root: "/p/web", hash: "one"}
	var builds, rebuilds int
	var buildFails, rebuildFails error
	u := &Compiled{
		Sources: &Sources{
			Service: "web", Inputs: in, Container: c, Root: "/p",
			Rebuild: func(context.Context) error { rebuilds++; return rebuildFails },
			Folder: build.Folder{Dir: "/p/web", Rebuilds: rebuildsFor("package.json"), Command: func(context.Context) (map[string]string, string, error) {
				builds++
				return map[string]string{"dist/a.js": "/out/dist/a.js", "../b": "/out/b"}, in.hash, buildFails
			}},
		},
		Budget: NewBudget(1),
	}
	for path, want := range map[string]event.Action{
		"/p/web/src/a.ts": event.Restart, "/p/web/package.json": event.Rebuild, "/p/go.mod": event.Ignore,
	} {
		if d := u.Plan(path); d.Action != want {
			t.Errorf("%s: %v, want %s", path, d, want)
		}
	}
	var trace event.Reload
	if err := u.Run(t.Context(), u.First(), &trace); err != nil {
		t.Fatal(err)
	}
	want := livesync.Change{Files: map[string]livesync.Source{"dist/a.js": {Path: "/out/dist/a.js"}}, Complete: true, Build: "one", Restart: true}
	if diff := cmp.Diff([]livesync.Change{want}, c.pushed); diff != "" || trace.Build != "one" {
		t.Fatal(diff)
	}
	save := Work{Action: event.Restart, Paths: []string{"/p/web/src/a.ts"}}
	if err := u.Run(t.Context(), save, &trace); err != nil || builds != 1 {
		t.Errorf("the same inputs again: %v, built %d times", err, builds)
	}
	var f *Fault
	in.hash, buildFails = "two", errors.New("web/src/a.ts(1,1): error")
	if err := u.Run(t.Context(), save, &trace); !errors.As(err, &f) || len(c.pushed) != 1 {
		t.Errorf("a build that fails: %v, pushed %v", err, c.pushed)
	}
	buildFails, rebuildFails = nil, errors.New("npm ci: exit status 1")
	if err := u.Run(t.Context(), Work{Action: event.Rebuild}, &trace); !errors.As(err, &f) || len(c.pushed) != 1 {
		t.Errorf("an install that fails: %v, pushed %v", err, c.pushed)
	}
	rebuildFails = nil
	if err := u.Run(t.Context(), save, &trace); err != nil || rebuilds != 2 || len(c.pushed) != 2 {
		t.Errorf("the save after it: %v, installed %d times, pushed %v", err, rebuilds, c.pushed)
	}
}

// TestWhatTheInstallMadeStaysInTheContainer where all of its files are compared.
func TestWhatTheInstallMadeStaysInTheContainer(t *testing.T) {
	root := t.TempDir()
	testkit.WriteFile(t, root+"/web/server.js", "1")
	c := &container{}
	s := &Sources{
		Service: "web", Inputs: &inputs{root: root, hash: "one"}, Container: c, Root: root,
		Folder: build.Folder{Dir: root + "/web", Made: func(context.Context) (map[string]string, error) {
			return map[string]string{"generated/a.js": "/out/generated/a.js"}, nil
		}},
	}
	if err := s.Run(t.Context(), s.First(), &event.Reload{}); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(c.pushed[0].Files)); !c.pushed[0].Complete || !slices.Equal(got, []string{"generated/a.js", "server.js"}) {
		t.Errorf("pushed %v", c.pushed)
	}
}
