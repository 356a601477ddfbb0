package devloop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"zr/pkg/event"
)

// unit is a service whose runs take as long as takes, on the test's clock.
type unit struct {
	name  string
	takes time.Duration
	fail  func(Work) error

	mu   sync.Mutex
	log  []string // "start a.go,b.go", "done a.go,b.go", "cancelled ..."
	live string   // the paths of the last run that ended well
}

func (u *unit) Name() string { return u.name }

func (u *unit) Plan(path string) Decision {
	switch {
	case strings.HasSuffix(path, ".go"):
		return Decision{u.name, event.Restart, "a Go file of the service"}
	case strings.HasSuffix(path, ".css"):
		return Decision{u.name, event.Sync, "the process picks it up"}
	case strings.HasSuffix(path, "lock"):
		return Decision{u.name, event.Rebuild, "the dependencies changed"}
	}
	return Decision{u.name, event.Ignore, "no service is made from it"}
}

func (u *unit) Run(ctx context.Context, w Work, trace *event.Reload) error {
	what := string(w.Action) + " " + strings.Join(w.Paths, ",")
	if w.All {
		what += "*"
	}
	u.note("start " + what)
	select {
	case <-ctx.Done():
		u.note("cancelled " + what)
		return context.Cause(ctx)
	case <-time.After(u.takes):
	}
	if u.fail != nil {
		if err := u.fail(w); err != nil {
			return err
		}
	}
	trace.Build = "hash"
	u.mu.Lock()
	u.live = strings.Join(w.Paths, ",")
	u.mu.Unlock()
	u.note("done " + what)
	return nil
}

func (u *unit) State(error) event.ServiceState {
	return event.ServiceState{Service: u.name, State: event.Healthy, Build: "hash"}
}

func (u *unit) note(s string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.log = append(u.log, s)
}

func (u *unit) count(prefix string) (n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, s := range u.log {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

// script runs a loop over units within a bubble of fake time, calls act, lets
// everything come to rest and returns the events.
func script(t *testing.T, units []Unit, act func(save func(paths ...string), order func(Command))) []event.Event {
	t.Helper()
	var mu sync.Mutex
	var events []event.Event
	synctest.Test(t, func(t *testing.T) {
		sink := event.SinkFunc(func(e event.Event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e)
		})
		ctx, cancel := context.WithCancel(t.Context())
		batches, commands := make(chan Batch), make(chan Command)
		ended := make(chan error)
		go func() { ended <- New("/", units, sink).Run(ctx, batches, commands) }()
		act(func(paths ...string) {
			batches <- Batch{Paths: paths, Last: time.Now()}
			synctest.Wait()
		}, func(c Command) {
			commands <- c
			synctest.Wait()
		})
		time.Sleep(time.Minute)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
	})
	return events
}

func TestASaveRunsAtOnce(t *testing.T) {
	u := &unit{name: "api", takes: time.Second}
	events := script(t, []Unit{u}, func(save func(...string), _ func(Command)) { save("a.go", "README") })
	want := []string{"start restart a.go", "done restart a.go"}
	if diff := cmp.Diff(want, u.log); diff != "" {
		t.Error(diff)
	}
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Type())
	}
	if diff := cmp.Diff([]string{"service.state", "reload", "service.state"}, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestANewerSaveCancelsAndKeepsTheOlderPaths(t *testing.T) {
	u := &unit{name: "api", takes: time.Second}
	script(t, []Unit{u}, func(save func(...string), _ func(Command)) {
		save("a.go")
		time.Sleep(200 * time.Millisecond)
		save("b.go")
	})
	want := []string{"start restart a.go", "cancelled restart a.go", "start restart b.go,a.go", "done restart b.go,a.go"}
	if diff := cmp.Diff(want, u.log); diff != "" {
		t.Error(diff)
	}
}

func TestFiftySavesInTwoSecondsAreThreeBuildsAtMost(t *testing.T) {
	for _, gaps := range [][]time.Duration{
		slices.Repeat([]time.Duration{40 * time.Millisecond}, 50),
		slices.Repeat([]time.Duration{5, 5, 5, 145}, 13),
		slices.Repeat([]time.Duration{10, 120, 10, 20}, 13),
	} {
		u := &unit{name: "api", takes: 3 * time.Second}
		n := 0
		script(t, []Unit{u}, func(save func(...string), _ func(Command)) {
			for _, gap := range gaps {
				if gap < time.Microsecond {
					gap *= time.Millisecond
				}
				time.Sleep(gap)
				n++
				save(fmt.Sprintf("%d.go", n))
			}
		})
		if got := u.count("start"); got > 3 {
			t.Errorf("%d builds: %v", got, u.log)
		}
		if last := fmt.Sprintf("%d.go", n); !strings.Contains(u.live, last) {
			t.Errorf("the last save %s is not live: %v", last, u.log)
		}
		for i := 1; i <= n; i++ {
			if !slices.Contains(strings.Split(u.live, ","), fmt.Sprintf("%d.go", i)) {
				t.Errorf("the save of %d.go was lost", i)
			}
		}
	}
}

func TestABurstWithoutEndIsBuiltAllTheSame(t *testing.T) {
	u := &unit{name: "api", takes: time.Second}
	script(t, []Unit{u}, func(save func(...string), _ func(Command)) {
		for range 200 {
			time.Sleep(50 * time.Millisecond)
			save("a.go")
		}
	})
	if got := u.count("done"); got < 2 {
		t.Errorf("%d runs ended well in ten seconds of saving: %v", got, u.log)
	}
}

func TestSyncIsNotCancelledButFollowed(t *testing.T) {
	u := &unit{name: "web", takes: 30 * time.Millisecond}
	script(t, []Unit{u}, func(save func(...string), _ func(Command)) {
		save("a.css")
		save("b.css")
		save("c.css")
	})
	want := []string{"start sync a.css", "done sync a.css", "start sync b.css,c.css", "done sync b.css,c.css"}
	if diff := cmp.Diff(want, u.log); diff != "" {
		t.Error(diff)
	}
}

func TestServicesDoNotWaitForEachOther(t *testing.T) {
	slow, quick := &unit{name: "api", takes: 10 * time.Second}, &unit{name: "web", takes: time.Millisecond}
	script(t, []Unit{slow, quick}, func(save func(...string), _ func(Command)) {
		save("a.go")
		time.Sleep(time.Second)
		if quick.count("done") != 1 || slow.count("done") != 0 {
			t.Errorf("after a second: %v, %v", slow.log, quick.log)
		}
	})
}

func TestAProblemStandsUntilItIsFixed(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	u := &unit{name: "api", takes: time.Second, fail: func(Work) error {
		if broken.Load() {
			return fmt.Errorf("building: %w", &Fault{"a.go:1:1: syntax error"})
		}
		return nil
	}}
	events := script(t, []Unit{u}, func(save func(...string), _ func(Command)) {
		save("a.go")
		time.Sleep(5 * time.Second)
		broken.Store(false)
		save("a.go")
	})
	var got []string
	for _, e := range events {
		switch e := e.(type) {
		case event.Problem:
			got = append(got, fmt.Sprintf("%s %v", e.Text, e.Cleared))
		case event.ServiceState:
			got = append(got, string(e.State))
		}
	}
	want := []string{"building", "a.go:1:1: syntax error false", "healthy", "building", " true", "healthy"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRollbackIsTold(t *testing.T) {
	u := &unit{name: "api", fail: func(Work) error { return fmt.Errorf("exit status 2: panic: no; %w", ErrRolledBack) }}
	events := script(t, []Unit{u}, func(save func(...string), _ func(Command)) { save("a.go") })
	for _, e := range events {
		if r, ok := e.(event.Reload); ok && (!r.RolledBack || !strings.Contains(r.Error, "panic: no")) {
			t.Errorf("trace %+v", r)
		}
	}
	last := events[len(events)-1].(event.ServiceState)
	if last.State != event.Healthy {
		t.Errorf("after the rollback the service is %s", last.State)
	}
}

func TestOrdersRunEverythingAtOnce(t *testing.T) {
	u := &unit{name: "api", takes: time.Second}
	script(t, []Unit{u}, func(save func(...string), order func(Command)) {
		save("a.go")
		time.Sleep(time.Millisecond)
		order(Command{Unit: "api", Action: event.Rebuild})
		order(Command{Unit: "other", Action: event.Rebuild})
	})
	want := []string{"start restart a.go", "cancelled restart a.go", "start build a.go*", "done build a.go*"}
	if diff := cmp.Diff(want, u.log); diff != "" {
		t.Error(diff)
	}
}

func TestExplain(t *testing.T) {
	l := New("/p", []Unit{&unit{name: "api"}, &unit{name: "web"}}, event.Discard)
	if got := l.Explain("/p/x.go"); len(got) != 2 || got[0].Action != event.Restart {
		t.Errorf("a Go file: %v", got)
	}
	if got := l.Explain("/p/notes.txt"); len(got) != 1 || got[0].Action != event.Ignore {
		t.Errorf("a text file: %v", got)
	}
	if got := l.Explain("/etc/hosts"); len(got) != 1 || got[0].Reason != "it lies outside of the project" {
		t.Errorf("a file of another folder: %v", got)
	}
}

func TestUnitsAreMadeAnewAfterTheRunIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []event.Event
		sink := event.SinkFunc(func(e event.Event) { events = append(events, e) })
		anew, bad := errors.New("other services"), errors.New("bad")
		manifests := &unit{name: "manifests", takes: time.Second}
		api := &unit{name: "api", takes: time.Second, fail: func(Work) error { return bad }}
		gone := &unit{name: "gone", takes: time.Second, fail: func(Work) error { return bad }}
		first := New("/", []Unit{manifests, api, gone}, sink)
		runs := 0
		first.Ended = func(string, error) error {
			if runs++; runs == 3 {
				return anew
			}
			return nil
		}
		batches := make(chan Batch, 2)
		batches <- Batch{Paths: []string{"a.go"}, Last: time.Now()}
		if err := first.Run(t.Context(), batches, nil); !errors.Is(err, anew) {
			t.Fatal(err)
		}
		if manifests.count("done") != 1 || !slices.ContainsFunc(events, func(e event.Event) bool {
			r, ok := e.(event.Reload)
			return ok && r.Service == "manifests"
		}) {
			t.Errorf("the run that ended it was not told: %v", events)
		}
		// What stood is cleared, though not by those who told of it.
		events, api.fail = nil, nil
		second := New("/", []Unit{manifests, api}, sink).After(first)
		ended := map[string]bool{}
		second.Ended = func(unit string, _ error) error {
			if ended[unit] = true; ended["api"] && ended["manifests"] {
				return anew
			}
			return nil
		}
		batches <- Batch{Paths: []string{"a.go"}, Last: time.Now()}
		if err := second.Run(t.Context(), batches, nil); !errors.Is(err, anew) {
			t.Fatal(err)
		}
		cleared := map[string]bool{}
		for _, e := range events {
			if p, ok := e.(event.Problem); ok && p.Cleared {
				cleared[p.Source] = true
			}
		}
		if diff := cmp.Diff(map[string]bool{"api": true, "gone": true}, cleared); diff != "" {
			t.Error(diff)
		}
	})
}
