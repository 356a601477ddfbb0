package devloop

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"zr/internal/testkit"
	"zr/pkg/build"
	"zr/pkg/event"
	"zr/pkg/livesync"
)

func program(c *container, in *inputs, compile error) (*Program, *int) {
	n := 0
	return &Program{
		Service: "api", Inputs: in, Container: c, Budget: NewBudget(1), Program: build.Program{
			File: "api",
			Compile: func(context.Context) (string, string, error) {
				n++
				return "/out/api", in.hash, compile
			},
			Kept:    func() (string, error) { return "", errors.New("another one") },
			Beside:  func() (map[string]string, error) { return nil, nil },
			Missing: func(path string) bool { return !strings.HasSuffix(path, "_test.go") },
		},
	}, &n
}

func TestProgram(t *testing.T) {
	c, in := &container{}, &inputs{root: "/p", hash: "one"}
	p, compiled := program(c, in, nil)
	var trace event.Reload
	run := func(w Work) {
		t.Helper()
		if err := p.Run(t.Context(), w, &trace); err != nil {
			t.Fatal(err)
		}
	}
	run(p.First())
	want := livesync.Change{Files: map[string]livesync.Source{"api": {Path: "/out/api"}}, Complete: true, Build: "one", Restart: true}
	if diff := cmp.Diff([]livesync.Change{want}, c.pushed); diff != "" || trace.Build != "one" {
		t.Fatal(diff)
	}
	run(Work{Action: event.Restart, Paths: []string{"/p/a.go"}})
	if *compiled != 1 || len(c.pushed) != 1 {
		t.Errorf("the same inputs again: compiled %d times, pushed %d times", *compiled, len(c.pushed))
	}
	c.state.Status.Build = "older" // it was put back since
	run(Work{Action: event.Restart, Paths: []string{"/p/a.go"}})
	if *compiled != 2 || len(c.pushed) != 2 {
		t.Errorf("what runs is another version: compiled %d times, pushed %d times", *compiled, len(c.pushed))
	}
	run(Work{Action: event.Restart, All: true, Forced: true})
	if *compiled != 3 || !c.pushed[2].Force {
		t.Errorf("the user asked: compiled %d times, %+v", *compiled, c.pushed)
	}
}

func TestProgramFails(t *testing.T) {
	var f *Fault
	c, in := &container{}, &inputs{hash: "one"}
	p, _ := program(c, in, errors.New("a.go:1:1: syntax error"))
	if err := p.Run(t.Context(), p.First(), &event.Reload{}); !errors.As(err, &f) || len(c.pushed) > 0 {
		t.Errorf("what does not compile: %v, pushed %v", err, c.pushed)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Run(ctx, p.First(), &event.Reload{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	p, _ = program(c, in, nil)
	c.result = livesync.Result{Reason: "exited with status 2", Output: []string{"panic: no"}, RolledBack: true, Restored: time.Second, Build: "zero"}
	trace := event.Reload{}
	err := p.Run(t.Context(), p.First(), &trace)
	if !errors.Is(err, ErrRolledBack) || !errors.As(err, &f) || !strings.Contains(f.Text, "panic: no") || trace.Build != "zero" {
		t.Errorf("rolled back: %v, trace %+v", err, trace)
	}
	c.result.RolledBack = false
	if err := p.Run(t.Context(), p.First(), &trace); errors.Is(err, ErrRolledBack) || !errors.As(err, &f) {
		t.Errorf("not healthy: %v", err)
	}
	c.result, c.err = livesync.Result{}, livesync.ErrReplaced
	if err := p.Run(t.Context(), p.First(), &trace); !errors.Is(err, livesync.ErrReplaced) || errors.As(err, &f) && f == nil {
		t.Errorf("the container went away: %v", err)
	}
}

// TestWhatIsAtHandIsNotCompiled: the program that an image was made with is only made
// known at the start, so that what comes later is a difference to it, whatever the
// container runs by then.
func TestWhatIsAtHandIsNotCompiled(t *testing.T) {
	c, in := &container{}, &inputs{root: "/p", hash: "one", made: "one"}
	p, compiled := program(c, in, nil)
	p.Kept = func() (string, error) { return "/kept/api", nil }
	if err := p.Run(t.Context(), p.First(), &event.Reload{}); err != nil {
		t.Fatal(err)
	}
	want := livesync.Change{Files: map[string]livesync.Source{"api": {Path: "/kept/api"}}, Complete: true, Build: "one", Restart: true}
	if diff := cmp.Diff([]livesync.Change{want}, c.pushed); *compiled != 0 || diff != "" {
		t.Errorf("compiled %d times, %s", *compiled, diff)
	}
	if err := p.Run(t.Context(), Work{Action: event.Restart, All: true, Forced: true}, &event.Reload{}); err != nil || *compiled != 1 {
		t.Errorf("the user asked: %v, compiled %d times", err, *compiled)
	}
}

// TestFilesBesideAProgram: a save of one is sent alone where the container runs
// what the rest makes, swaps where the program reads it once, and is called live
// only then; after anything else, all of it is made anew.
func TestFilesBesideAProgram(t *testing.T) {
	for _, once := range []bool{false, true} {
		c, in := &container{}, &inputs{root: "/p", hash: "h1", made: "m1", loose: "/p/pages"}
		p, compiled := program(c, in, nil)
		files := map[string]string{"pages/a.html": "/p/pages/a.html", "pages/b.html": "/p/pages/b.html"}
		p.Beside, p.ReadOnce = func() (map[string]string, error) { return maps.Clone(files), nil }, once
		run := func(w Work) (trace event.Reload, last livesync.Change) {
			t.Helper()
			if err := p.Run(t.Context(), w, &trace); err != nil {
				t.Fatal(err)
			}
			return trace, c.pushed[len(c.pushed)-1]
		}
		want := event.Sync
		if once {
			want = event.Restart
		}
		if d := p.Plan("/p/pages/new.html"); d.Action != want {
			t.Errorf("once %v: planned %+v", once, d)
		}
		if d := p.Plan("/p/main.go"); d.Action != event.Restart {
			t.Errorf("once %v: planned %+v", once, d)
		}
		if trace, sent := run(p.First()); *compiled != 1 || len(sent.Files) != 3 || trace.OnlySent {
			t.Errorf("at first: compiled %d times, sent %+v", *compiled, sent)
		}
		in.hash, files["pages/c.html"] = "h2", "/p/pages/c.html"
		delete(files, "pages/b.html")
		trace, sent := run(Work{Action: want, Paths: []string{"/p/pages/a.html", "/p/pages/b.html", "/p/pages/c.html"}})
		if *compiled != 1 || trace.OnlySent == once || trace.Build != "h2" || sent.Build != "h2" || !sent.Restart || sent.Complete || (sent.Reread == nil) != once {
			t.Errorf("once %v: compiled %d times, trace %+v, sent %+v", once, *compiled, trace, sent)
		}
		if got := slices.Sorted(maps.Keys(sent.Files)); !slices.Equal(got, []string{"pages/a.html", "pages/c.html"}) || !slices.Equal(sent.Gone, []string{"pages/b.html"}) {
			t.Errorf("once %v: sent %v, deleted %v", once, got, sent.Gone)
		}
		in.hash, in.made = "h3", "m2" // the code was saved too, and its own run is still to come
		if _, sent := run(Work{Action: want, Paths: []string{"/p/pages/a.html"}}); *compiled != 2 || sent.Build != "h3" || !sent.Complete {
			t.Errorf("once %v: compiled %d times, sent %+v", once, *compiled, sent)
		}
		c.result = livesync.Result{Reason: "exited", RolledBack: true, Build: "h3"}
		in.hash, in.made = "h4", "m3"
		if err := p.Run(t.Context(), Work{Action: event.Restart, Paths: []string{"/p/main.go"}}, &event.Reload{}); !errors.Is(err, ErrRolledBack) {
			t.Error(err)
		}
		c.result = livesync.Result{}
		if _, sent := run(Work{Action: want, Paths: []string{"/p/pages/a.html"}}); *compiled != 4 || !sent.Complete {
			t.Errorf("once %v, after what was taken back: compiled %d times, sent %+v", once, *compiled, sent)
		}
	}
}

// TestAdvice: what to do about a crash stands below it.
func TestAdvice(t *testing.T) {
	c := &container{result: livesync.Result{Reason: "exited with status 1", Output: []string{"open a.json: no such file"}, RolledBack: true}}
	p, _ := program(c, &inputs{hash: "one"}, nil)
	p.Advice = func(words string) string {
		if strings.Contains(words, "open a.json") {
			return "add it"
		}
		return ""
	}
	var f *Fault
	if err := p.Run(t.Context(), p.First(), &event.Reload{}); !errors.As(err, &f) || !strings.HasSuffix(f.Text, "no such file\nhint: add it") {
		t.Errorf("err = %v", err)
	}
}

// TestBuildsShareABudget: no more builds than that run at once; of those that wait,
// what was saved last is built first, and of one save the service that was saved
// last before it.
func TestBuildsShareABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(2)
		at := func(n int) time.Time { return time.Unix(int64(n), 0) }
		var mu sync.Mutex
		var began []string
		running, most := 0, 0
		build := func(name string, saved, before int) {
			release, err := b.Take(t.Context(), at(saved), at(before), false)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			began = append(began, name)
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			release()
		}
		gone, cancel := context.WithCancel(t.Context())
		for _, s := range []struct {
			name          string
			saved, before int
		}{{"first", 1, 0}, {"second", 1, 0}, {"a", 5, 1}, {"b", 5, 3}, {"c", 5, 2}, {"early", 2, 0}, {"newest", 6, 0}} {
			go build(s.name, s.saved, s.before)
			synctest.Wait()
		}
		ended := make(chan error, 1)
		go func() { _, err := b.Take(gone, at(9), at(9), false); ended <- err }()
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()         // for the last of them to have let go
		slices.Sort(began[2:4]) // two turns come at once
		slices.Sort(began[4:6])
		if want := []string{"first", "second", "b", "newest", "a", "c", "early"}; !slices.Equal(began, want) || most != 2 {
			t.Errorf("began %q, %d at once", began, most)
		}
		if release, err := b.Take(t.Context(), at(0), at(0), false); err != nil {
			t.Error(err)
		} else {
			release()
		}
	})
}

// TestASharedSaveBeginsWithTheNewest: of a save that concerns several services, none
// begins before it is known who they are.
func TestASharedSaveBeginsWithTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(1)
		began := make(chan int, 3)
		for _, before := range []int{2, 3, 1} {
			go func() {
				release, err := b.Take(t.Context(), time.Unix(9, 0), time.Unix(int64(before), 0), true)
				if err != nil {
					t.Error(err)
					return
				}
				began <- before
				release()
			}()
			synctest.Wait()
		}
		if got := []int{<-began, <-began, <-began}; !slices.Equal(got, []int{3, 2, 1}) {
			t.Errorf("began in the order %v", got)
		}
	})
}

// TestSymlinkedSourcesOfAProgram: the compiler follows symlinks and the watcher does not,
// so a save of what one leads to is one of the symlink, inside of the project and
// outside, of folders and of files, also where an ignore file hides that.
func TestSymlinkedSourcesOfAProgram(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(root, "real/sub/a.go"), filepath.Join(root, "one.go"), filepath.Join(outside, "far.go"), filepath.Join(outside, "pages/p.html")} {
		testkit.WriteFile(t, path, "1")
	}
	testkit.WriteFile(t, filepath.Join(root, "svc/main.go"), "1")
	for name, target := range map[string]string{"svc/linked": "../real", "svc/one.go": "../one.go", "svc/far": outside} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	in := &listed{inputs: inputs{root: filepath.Join(root, "svc"), hash: "h", made: "m", loose: filepath.Join(root, "svc/far/pages")}}
	for _, name := range []string{"svc/main.go", "svc/linked/sub/a.go", "svc/one.go", "svc/far/far.go", "svc/far/pages/p.html"} {
		in.files = append(in.files, build.InputFile{Path: name, Hash: "x"})
	}
	c := &container{}
	p, compiled := program(c, &in.inputs, nil)
	p.Root, p.Inputs = root, in
	p.Beside = func() (map[string]string, error) {
		return map[string]string{"pages/p.html": filepath.Join(root, "svc/far/pages/p.html")}, nil
	}
	for path, want := range map[string]event.Action{
		filepath.Join(root, "real/sub/a.go"):      event.Restart,
		filepath.Join(root, "real/sub/new.go"):    event.Restart,
		filepath.Join(root, "real"):               event.Restart,
		filepath.Join(root, "one.go"):             event.Restart,
		filepath.Join(root, "other.go"):           event.Ignore,
		filepath.Join(outside, "far.go"):          event.Restart,
		filepath.Join(outside, "pages/p.html"):    event.Sync,
		filepath.Join(outside, "pages/more.html"): event.Sync,
	} {
		if d := p.Plan(path); d.Action != want {
			t.Errorf("%s: %+v, want %s", path, d, want)
		}
	}
	if folders, files := Outside(root, []Unit{p}); !slices.Equal(folders, []string{outside}) || len(files) > 0 {
		t.Errorf("outside are %v and %v", folders, files)
	}
	_, wants := Included([]Unit{p})
	if !wants(filepath.Join(root, "real/sub/a.go")) || wants(filepath.Join(root, "other.go")) {
		t.Error("an ignore file hides what a link leads to")
	}
	if err := p.Run(t.Context(), p.First(), &event.Reload{}); err != nil {
		t.Fatal(err)
	}
	var trace event.Reload
	if err := p.Run(t.Context(), Work{Action: event.Sync, Paths: []string{filepath.Join(outside, "pages/p.html")}}, &trace); err != nil {
		t.Fatal(err)
	}
	if _, sent := c.pushed[len(c.pushed)-1].Files["pages/p.html"]; !sent || *compiled != 1 || !trace.OnlySent {
		t.Errorf("a file beside the program, behind a link: compiled %d times, pushed %+v", *compiled, c.pushed)
	}
}
