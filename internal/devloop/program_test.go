package devloop

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

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
