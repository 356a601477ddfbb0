package devloop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/livesync"
)

// inputs is a set of files whose hash the test sets.
type inputs struct {
	root  string
	hash  string
	made  string
	loose string // a folder of which nothing is made
	err   error
}

func (i *inputs) Refresh(context.Context) error { return i.err }
func (i *inputs) Hash() string                  { return i.hash }
func (i *inputs) Contains(path string) bool     { return strings.HasPrefix(path, i.root) }
func (i *inputs) Folders() []build.InputFolder  { return []build.InputFolder{{Path: i.root}} }
func (i *inputs) Made() string                  { return i.made }
func (i *inputs) Loose(path string) bool        { return i.loose != "" && below(path, i.loose) }

func (i *inputs) Files() []build.InputFile {
	var files []build.InputFile
	_ = filepath.WalkDir(i.root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(i.root, path)
			files = append(files, build.InputFile{Path: rel})
		}
		return nil
	})
	return files
}

// container takes what it is pushed.
type container struct {
	pushed []livesync.Change
	state  livesync.State
	result livesync.Result
	err    error

	unreached string
}

func (c *container) State() livesync.State { return c.state }
func (c *container) Unreached() string     { return c.unreached }

func (c *container) Push(_ context.Context, change livesync.Change) (livesync.Result, error) {
	c.pushed = append(c.pushed, change)
	if c.err == nil && c.result.Reason == "" {
		c.state.InStep = true
		c.state.Status.Build, c.state.Status.Phase = change.Build, livesync.Healthy
	}
	return c.result, c.err
}

// TestWhatIsMissingMayBeAnywhere saves a file that imports a package first and
// the package after it.
func TestWhatIsMissingMayBeAnywhere(t *testing.T) {
	c, in := &container{}, &inputs{root: "/p/cmd", hash: "one"}
	p, _ := program(c, in, nil)
	m := &Manifests{Label: "manifests", Apply: func(context.Context) (func(context.Context) error, error) { return nil, in.err }}
	m.Watch([]string{"/p/base/kustomization.yaml"}, nil)
	plan := func(path string) []event.Action { return []event.Action{p.Plan(path).Action, m.Plan(path).Action} }
	none := []event.Action{event.Ignore, event.Ignore}
	for _, broken := range []error{nil, errors.New("no required module provides package p/new"), nil} {
		in.err = broken
		for _, u := range []Unit{p, m} {
			if err := u.Run(t.Context(), Work{Action: event.Restart, All: true}, &event.Reload{}); (err != nil) != (broken != nil) {
				t.Fatal(err)
			}
		}
		want := none
		if broken != nil {
			want = []event.Action{event.Restart, event.Apply}
		}
		if diff := cmp.Diff(want, plan("/p/new/new.go")); diff != "" {
			t.Errorf("after %v: %s", broken, diff)
		}
	}
}

func TestSources(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "web")
	for path, content := range map[string]string{"package.json": "{}", "app/page.tsx": "x", "app/new.tsx": "y"} {
		testkit.WriteFile(t, filepath.Join(dir, path), content)
	}
	c, in := &container{}, &inputs{root: root, hash: "one"}
	rebuilt := 0
	s := &Sources{Service: "web", Inputs: in, Container: c, Root: root, Folder: build.Folder{Dir: dir, Rebuilds: rebuildsFor("package-lock.json")}, Rebuild: func(context.Context) error { rebuilt++; return nil }}
	for path, want := range map[string]event.Action{
		filepath.Join(dir, "app/page.tsx"):      event.Sync,
		filepath.Join(dir, "package-lock.json"): event.Rebuild,
		filepath.Join(root, "other/x.ts"):       event.Ignore,
		dir + "-too/x.ts":                       event.Ignore,
	} {
		if got := s.Plan(path); got.Action != want {
			t.Errorf("%s: %+v, want %s", path, got, want)
		}
	}
	run := func(w Work) livesync.Change {
		t.Helper()
		if err := s.Run(t.Context(), w, &event.Reload{}); err != nil {
			t.Fatal(err)
		}
		return c.pushed[len(c.pushed)-1]
	}
	files := func(c livesync.Change) []string {
		var names []string
		for name := range c.Files {
			names = append(names, name)
		}
		slices.Sort(names)
		return names
	}
	got := run(s.First())
	if diff := cmp.Diff([]string{"app/new.tsx", "app/page.tsx", "package.json"}, files(got)); diff != "" || !got.Complete || got.Restart || got.Build != "one" {
		t.Errorf("at first: %+v", got)
	}
	got = run(Work{Action: event.Sync, Paths: []string{filepath.Join(dir, "app/page.tsx"), filepath.Join(dir, "app/gone.tsx")}})
	if diff := cmp.Diff([]string{"app/page.tsx"}, files(got)); diff != "" || got.Complete || !slices.Equal(got.Gone, []string{"app/gone.tsx"}) {
		t.Errorf("two paths: %+v", got)
	}
	got = run(Work{Action: event.Rebuild, Paths: []string{filepath.Join(dir, "package.json")}})
	if rebuilt != 1 || !got.Complete || got.Restart {
		t.Errorf("rebuilt %d times, then %+v", rebuilt, got)
	}
	if got = run(Work{Action: event.Restart, All: true}); got.Restart || !got.Complete {
		t.Errorf("after lost events: %+v", got)
	}
	if got = run(Work{Action: event.Restart, All: true, Forced: true}); !got.Restart || !got.Force {
		t.Errorf("the user asked for a restart: %+v", got)
	}
}

// TestSourcesOfAllKinds saves what is no file, or has no name that can be sent.
func TestSourcesOfAllKinds(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/x", "b", "caf\xe9"} {
		testkit.WriteFile(t, filepath.Join(dir, name), "1")
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &container{}
	s := &Sources{Service: "web", Inputs: &inputs{root: dir, hash: "one"}, Container: c, Root: dir, Folder: build.Folder{Dir: dir}}
	var paths []string
	for _, name := range []string{"a", "a/x", "b", "b/y", "caf\xe9", "pipe"} {
		paths = append(paths, filepath.Join(dir, name))
	}
	if err := s.Run(t.Context(), Work{Action: event.Sync, Paths: paths}, &event.Reload{}); err != nil {
		t.Fatal(err)
	}
	want := livesync.Change{
		Files: map[string]livesync.Source{"a/x": {Path: filepath.Join(dir, "a/x")}, "b": {Path: filepath.Join(dir, "b")}},
		Gone:  []string{"a", "b/y", "pipe"}, Build: "one",
	}
	if diff := cmp.Diff([]livesync.Change{want}, c.pushed); diff != "" {
		t.Error(diff)
	}
}

// TestSymlinks saves what symlinks of a service lead to.
func TestSymlinks(t *testing.T) {
	outside, named := t.TempDir(), filepath.Join(t.TempDir(), "named")
	root := t.TempDir()
	if err := os.Symlink(root, named); err != nil { // the project is entered through a symlink
		t.Fatal(err)
	}
	in := &listed{}
	for _, name := range []string{"web/own.ts", "shared/a.ts", "shared/sub/b.ts", "one.ts"} {
		testkit.WriteFile(t, filepath.Join(root, name), "1")
	}
	testkit.WriteFile(t, filepath.Join(outside, "far.ts"), "1")
	for name, target := range map[string]string{"shared": "../shared", "a.ts": "../shared/a.ts", "one.ts": "../one.ts", "again.ts": "own.ts", "far": outside, "nowhere": "x"} {
		if err := os.Symlink(target, filepath.Join(root, "web", name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"own.ts", "a.ts", "one.ts", "again.ts", "far/far.ts", "nowhere", "shared/a.ts", "shared/sub/b.ts"} {
		in.files = append(in.files, build.InputFile{Path: "web/" + name, Hash: "x"})
	}
	c := &container{}
	dir := filepath.Join(named, "web")
	s := &Sources{Service: "web", Inputs: in, Container: c, Root: named, Folder: build.Folder{Dir: dir}}
	for path, want := range map[string][]string{
		filepath.Join(named, "shared/a.ts"):     {"a.ts", "shared/a.ts"},
		filepath.Join(named, "shared/sub/b.ts"): {"shared/sub/b.ts"},
		filepath.Join(named, "shared/new.ts"):   {"-shared/new.ts"},
		filepath.Join(named, "one.ts"):          {"one.ts"},
		filepath.Join(named, "other.ts"):        nil,
		filepath.Join(dir, "own.ts"):            {"again.ts", "own.ts"},
		filepath.Join(outside, "far.ts"):        {"far/far.ts"},
	} {
		if d := s.Plan(path); (d.Action == event.Sync) != (want != nil) {
			t.Errorf("%s: %+v", path, d)
		}
		c.pushed = nil
		if err := s.Run(t.Context(), Work{Action: event.Sync, Paths: []string{path}}, &event.Reload{}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for name := range c.pushed[0].Files {
			got = append(got, name)
		}
		for _, name := range c.pushed[0].Gone {
			got = append(got, "-"+name)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" || c.pushed[0].Complete {
			t.Errorf("%s: %s", path, diff)
		}
	}
	// A folder goes with what is in it, and a symlink may lead elsewhere by now.
	if d := s.Plan(filepath.Join(named, "shared")); d.Action != event.Sync {
		t.Errorf("what links lead to went: %+v", d)
	}
	if err := s.Run(t.Context(), Work{Action: event.Sync, Paths: []string{filepath.Join(dir, "shared")}}, &event.Reload{}); err != nil {
		t.Fatal(err)
	}
	if got := c.pushed[len(c.pushed)-1]; !got.Complete || len(got.Files) != len(in.files)-1 {
		t.Errorf("after a change of a link: %+v", got)
	}
	if folders, files := Outside(named, []Unit{s}); !slices.Equal(folders, []string{outside}) || len(files) > 0 {
		t.Errorf("outside are %v and %v", folders, files)
	}
}

func TestSourcesMakeUpForAFailedRun(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.ts", "b.ts", ".gitignore"} {
		testkit.WriteFile(t, filepath.Join(dir, name), "1")
	}
	c, in := &container{}, &inputs{root: dir, hash: "one"}
	rebuilt := 0
	broken := errors.New("npm: no network")
	s := &Sources{Service: "web", Inputs: in, Container: c, Root: dir, Folder: build.Folder{Dir: dir}, Rebuild: func(context.Context) error {
		rebuilt++
		return broken
	}}
	save := func(action event.Action, name string) error {
		return s.Run(t.Context(), Work{Action: action, Paths: []string{filepath.Join(dir, name)}}, &event.Reload{})
	}
	in.err = errors.New("a folder went while it was read")
	if save(event.Sync, "a.ts") == nil {
		t.Fatal("no error")
	}
	in.err = nil
	if err := save(event.Sync, "b.ts"); err != nil || len(c.pushed[0].Files) != 3 || !c.pushed[0].Complete {
		t.Fatalf("the file that was not sent is not made up for: %v, %+v", err, c.pushed)
	}
	if save(event.Rebuild, "package.json") == nil || save(event.Sync, "a.ts") == nil || rebuilt != 2 {
		t.Errorf("it is called live although the packages are the old ones: rebuilt %d times", rebuilt)
	}
	broken = nil
	if err := save(event.Sync, "a.ts"); err != nil || rebuilt != 3 {
		t.Errorf("%v, rebuilt %d times", err, rebuilt)
	}
	if err := save(event.Sync, "a.ts"); err != nil || rebuilt != 3 || c.pushed[2].Complete {
		t.Errorf("after a good run: %v, rebuilt %d times, %+v", err, rebuilt, c.pushed)
	}
	if err := save(event.Sync, ".gitignore"); err != nil || !c.pushed[3].Complete {
		t.Errorf("other files may be ignored now: %v, %+v", err, c.pushed[3])
	}
}

func TestManifestsPlan(t *testing.T) {
	m := &Manifests{Label: "manifests"}
	m.Watch([]string{"/p/base/api/a.yaml"}, []string{"/p/overlays/dev"})
	for path, want := range map[string]event.Action{
		"/p/base/api/a.yaml": event.Apply, "/p/base": event.Apply, "/p/overlays/dev/new.yaml": event.Apply,
		"/p/base/api/b.yaml": event.Ignore, "/p/base/ap": event.Ignore, "/p/overlays/dev2/x.yaml": event.Ignore,
	} {
		if got := m.Plan(path); got.Action != want {
			t.Errorf("%s: %+v, want %s", path, got, want)
		}
	}
}

// listed are inputs of which only the list matters.
type listed struct {
	inputs
	files []build.InputFile
}

func (l *listed) Files() []build.InputFile { return l.files }

// TestWhatARebuildFailsAt is said once, with what can be done about it.
func TestWhatARebuildFailsAt(t *testing.T) {
	lock := fault.Hint(errors.New("the lock file does not belong to package.json"), "npm install")
	s := &Sources{
		Service: "web", Inputs: &inputs{root: "/p"}, Container: &container{}, Folder: build.Folder{Dir: "/p", Reread: func() error { return lock }},
		Rebuild: func(context.Context) error { return fmt.Errorf("looking at %q: %w", "web", lock) },
	}
	want := "looking at \"web\": the lock file does not belong to package.json\nhint: npm install"
	if err := s.Run(t.Context(), Work{Action: event.Rebuild}, &event.Reload{}); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	s.Rebuild = func(context.Context) error { return nil }
	if err := s.Run(t.Context(), Work{Action: event.Rebuild}, &event.Reload{}); err == nil || !strings.Contains(err.Error(), lock.Error()) {
		t.Errorf("package.json cannot be read anew: %v", err)
	}
}

func TestOutside(t *testing.T) {
	in := &listed{}
	for _, path := range []string{
		"main.go", "go.mod", "../go.work", "../lib/go.mod", "../lib/a.go", "../lib/sub/go.mod", "../lib/sub/b.go", "../go.mod", "../c.go",
	} {
		in.files = append(in.files, build.InputFile{Path: path, Hash: "x"})
	}
	in.files = append(in.files, build.InputFile{Path: "../lib/go.sum"}, build.InputFile{Path: "../go.work.sum"})
	program := &Program{Inputs: in, Program: build.Program{Module: func(input string) string {
		if filepath.Base(input) == "go.mod" {
			return filepath.Dir(input)
		}
		return ""
	}}}
	modules, files := Outside("/r/p", []Unit{&Manifests{}, program, program})
	if diff := cmp.Diff([]string{"/r/lib"}, modules); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/r/c.go", "/r/go.mod", "/r/go.work"}, files); diff != "" {
		t.Error(diff)
	}
}

// starter is a unit that compares before the first save.
type starter struct{ *unit }

func (starter) First() Work { return Work{Action: event.Restart, All: true, Quiet: true} }

func TestStarter(t *testing.T) {
	u := &unit{name: "api", takes: time.Second}
	events := script(t, []Unit{starter{u}}, func(func(...string), func(Command)) {})
	if diff := cmp.Diff([]string{"start restart *", "done restart *"}, u.log); diff != "" {
		t.Error(diff)
	}
	want := []event.Event{event.ServiceState{Service: "api", State: event.Healthy, Build: "hash"}}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Error(diff)
	}
	// A save does not wait for it, and what it would have done is done.
	u = &unit{name: "api", takes: time.Second}
	events = script(t, []Unit{starter{u}}, func(save func(...string), _ func(Command)) {
		time.Sleep(100 * time.Millisecond)
		save("a.go")
	})
	want2 := []string{"start restart *", "cancelled restart *", "start restart a.go*", "done restart a.go*"}
	if diff := cmp.Diff(want2, u.log); diff != "" || len(events) != 3 {
		t.Error(diff, events)
	}
}

// TestManifestsBehindSymlinks: what symlinks lead to, and bases outside of the project, are
// manifests as well.
func TestManifestsBehindSymlinks(t *testing.T) {
	root, outside, named := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "named")
	for _, file := range []string{filepath.Join(root, "shared/dev.yaml"), filepath.Join(root, "real/web.yaml"), filepath.Join(outside, "dev.env"), filepath.Join(outside, "base/api.yaml")} {
		testkit.WriteFile(t, file, "1")
	}
	for name, target := range map[string]string{"dev.yaml": "shared/dev.yaml", "overlay": "real", "secrets.env": filepath.Join(outside, "dev.env")} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(root, named); err != nil { // the project is entered through a symlink
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(named, name) }
	m := &Manifests{Label: "manifests"}
	m.Watch(WithTargets(named, []string{in("dev.yaml"), in("secrets.env"), filepath.Join(outside, "base/api.yaml"), "/gone/clone/x.yaml"}), WithTargets(named, []string{in("overlay")}))
	for path, want := range map[string]event.Action{
		in("dev.yaml"): event.Apply, in("shared/dev.yaml"): event.Apply, in("overlay/new.yaml"): event.Apply, in("real/new.yaml"): event.Apply,
		filepath.Join(outside, "dev.env"): event.Apply, in("shared/other.yaml"): event.Ignore,
	} {
		if d := m.Plan(path); d.Action != want {
			t.Errorf("%s: %+v, want %s", path, d, want)
		}
	}
	want := []string{filepath.Join(outside, "base/api.yaml"), filepath.Join(outside, "dev.env")}
	if folders, files := Outside(named, []Unit{m}); len(folders) > 0 || !slices.Equal(files, want) {
		t.Errorf("outside are %v and %v, want %v", folders, files, want)
	}
}

// TestAServiceWhoseFolderIsALink, or lies behind one: the watcher names the folder that
// it leads to.
func TestAServiceWhoseFolderIsALink(t *testing.T) {
	root := t.TempDir()
	real := filepath.Join(root, "real/web")
	testkit.WriteFile(t, filepath.Join(real, "a.js"), "1")
	if err := os.Symlink("real", filepath.Join(root, "apps")); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "apps/web")
	in := &listed{inputs: inputs{root: dir}, files: []build.InputFile{{Path: "apps/web/a.js", Hash: "x"}}}
	c := &container{}
	s := &Sources{Service: "web", Inputs: in, Container: c, Root: root, Folder: build.Folder{Dir: dir, Restarts: true}}
	for path, want := range map[string]event.Action{
		filepath.Join(real, "a.js"): event.Restart, filepath.Join(real, "new.js"): event.Restart, real: event.Restart, filepath.Join(root, "real/other/a.js"): event.Ignore,
	} {
		if d := s.Plan(path); d.Action != want {
			t.Errorf("%s: %+v, want %s", path, d, want)
		}
	}
	for _, path := range []string{filepath.Join(real, "a.js"), real} { // the folder as a whole counts as all of it
		if err := s.Run(t.Context(), Work{Action: event.Restart, Paths: []string{path}}, &event.Reload{}); err != nil {
			t.Fatal(err)
		}
		got := c.pushed[len(c.pushed)-1]
		if _, sent := got.Files["a.js"]; !sent || got.Complete != (path == real) {
			t.Errorf("%s: pushed %+v", path, got)
		}
	}
}
