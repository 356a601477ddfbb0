package stack

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"zr/internal/devloop"
	"zr/internal/testkit"
	"zr/pkg/config"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// scripted is an environment whose calls end one after the other as a script
// says: nil goes on, errHold waits until the context ends.
type scripted struct {
	script map[string][]error
	calls  []string
}

var errHold = errors.New("hold")

func (s *scripted) call(ctx context.Context, name string) error {
	s.calls = append(s.calls, name)
	if len(s.script[name]) == 0 {
		return nil
	}
	err := s.script[name][0]
	s.script[name] = s.script[name][1:]
	if errors.Is(err, errHold) {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (s *scripted) bringUp(ctx context.Context) error { return s.call(ctx, "up") }
func (s *scripted) keepInStep(ctx context.Context, _ chan devloop.Batch, _ chan devloop.Command) error {
	return s.call(ctx, "step")
}
func (s *scripted) reload(ctx context.Context) error     { return s.call(ctx, "reload") }
func (s *scripted) disconnect(ctx context.Context) error { return s.call(ctx, "disconnect") }

// played runs a `zr dev` over a script. Each save comes when nothing else moves
// any more, and then the end.
func played(t *testing.T, script map[string][]error, saves int) (calls, said []string, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		env := &scripted{script: script}
		sink := event.SinkFunc(func(e event.Event) {
			p := e.(event.Problem)
			if p.Cleared {
				p.Text = "cleared"
			}
			said = append(said, p.Source+": "+p.Text)
		})
		s := &lifecycle{env: env, sink: sink, batches: make(chan devloop.Batch)}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.run(ctx) }()
		for range saves {
			synctest.Wait()
			s.batches <- devloop.Batch{}
		}
		synctest.Wait()
		cancel()
		err = <-ended
		calls = env.calls
	})
	return calls, said, err
}

func TestTheLifecycleOf(t *testing.T) {
	broken := fault.Hint(errors.New("a.go:1:1: syntax error"), "fix it")
	unreadable := errors.New(`unknown key "projekt"`)
	usage := fault.WithCode(errors.New("no overlay"), fault.Usage, "")
	none := fmt.Errorf("step: %w", &noCluster{errors.New("no engine")})
	const waits = "\nzr dev waits for a save that fixes it, and then tries again; Ctrl-C ends it"
	for name, tt := range map[string]struct {
		script map[string][]error
		saves  int
		calls  string
		said   []string
		err    error
	}{
		"all is well": {map[string][]error{"step": {errHold}}, 0, "up step", nil, context.Canceled},
		"what is gone is brought up again": {
			map[string][]error{"step": {errGone, fmt.Errorf("watching: %w", errGone), errHold}}, 0,
			"up step disconnect up step disconnect up step", nil, context.Canceled,
		},
		"the user's code is broken at the start": {
			map[string][]error{"up": {broken, usage}, "reload": {nil, unreadable, nil}, "step": {errHold}}, 3,
			"up reload up reload reload up step",
			[]string{
				"zr up: a.go:1:1: syntax error\nhint: fix it" + waits, "zr up: no overlay" + waits,
				"zr up: unknown key \"projekt\"\nzr dev waits for a save that fixes it; Ctrl-C ends it", "zr up: cleared",
			}, context.Canceled,
		},
		"a start that no save can fix ends with its error": {map[string][]error{"up": {none}}, 0, "up", nil, errors.New("no engine")},
		"so does a project that cannot be read":            {map[string][]error{"up": {usage}}, 0, "up", nil, usage},
		"an end of the loop that nothing fixes":            {map[string][]error{"step": {broken}}, 0, "up step", nil, broken},
		"a cluster that was lost":                          {map[string][]error{"up": {nil, none, errHold}, "step": {errGone}}, 1, "up step disconnect up reload up", []string{"zr up: step: no engine\nzr dev tries again every 10s, and after a save; Ctrl-C ends it"}, context.Canceled},
		"Ctrl-C while it comes up":                         {map[string][]error{"up": {errHold}}, 0, "up", nil, context.Canceled},
		"Ctrl-C while it waits":                            {map[string][]error{"up": {broken}}, 0, "up", []string{"zr up: a.go:1:1: syntax error\nhint: fix it" + waits}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			calls, said, err := played(t, tt.script, tt.saves)
			if got := strings.Join(calls, " "); got != tt.calls {
				t.Errorf("it did %q, want %q", got, tt.calls)
			}
			if diff := cmp.Diff(tt.said, said); diff != "" {
				t.Error(diff)
			}
			if err == nil || err.Error() != tt.err.Error() {
				t.Errorf("it ended with %v, want %v", err, tt.err)
			}
		})
	}
}

// TestALostClusterIsTriedAgainWithoutASave lets the pauses pass.
func TestALostClusterIsTriedAgainWithoutASave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none := &noCluster{errors.New("no engine")}
		env := &scripted{script: map[string][]error{"up": {nil, none, none, nil}, "step": {errGone, errHold}}}
		ctx, cancel := context.WithTimeout(t.Context(), 3*clusterRetry)
		defer cancel()
		s := &lifecycle{env: env, sink: event.Discard, batches: make(chan devloop.Batch)}
		if err := s.run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if got := strings.Join(env.calls, " "); got != "up step disconnect up up up step" {
			t.Errorf("it did %q", got)
		}
	})
}

// quietUnit is a unit with a first run, or, without one, just a unit.
type quietUnit string

func (u quietUnit) Name() string                                           { return string(u) }
func (u quietUnit) Plan(string) devloop.Decision                           { return devloop.Decision{} }
func (u quietUnit) Run(context.Context, devloop.Work, *event.Reload) error { return nil }
func (u quietUnit) State(error) event.ServiceState                         { return event.ServiceState{} }

type firstUnit struct{ quietUnit }

func (firstUnit) First() devloop.Work { return devloop.Work{} }

// TestReadyIsSaidOnceEverythingWasAsked has first runs that end well and badly.
func TestReadyIsSaidOnceEverythingWasAsked(t *testing.T) {
	said := 0
	r := &readiness{say: func() { said++ }}
	r.expect([]devloop.Unit{firstUnit{"api"}, firstUnit{"web"}, quietUnit("image"), firstUnit{"manifests"}})
	for _, end := range []struct {
		unit string
		err  error
		want int
	}{
		{"api", nil, 0}, {"image", nil, 0}, {"web", errors.New("exited"), 0}, {"manifests", nil, 0}, {"web", nil, 1}, {"web", nil, 1},
	} {
		if r.ended(end.unit, end.err); said != end.want {
			t.Errorf("after %s ended with %v it was said %d times, want %d", end.unit, end.err, said, end.want)
		}
	}
	r.expect([]devloop.Unit{firstUnit{"more"}})
	if r.ended("more", nil); said != 1 {
		t.Errorf("of other services it was said again")
	}
}

// TestAKeyIsAsGoodAsASave where the stack could not come up.
func TestAKeyIsAsGoodAsASave(t *testing.T) {
	commands := make(chan devloop.Command, 1)
	commands <- devloop.Command{Action: event.Rebuild}
	root := t.TempDir()
	testkit.WriteFile(t, filepath.Join(root, "config", "dev.yaml"), "project: shop\nservices:\n  web: {build: {node: .}}\n")
	cfg, err := config.Load(root, "dev")
	if err != nil {
		t.Fatal(err)
	}
	s := &lifecycle{env: newDev(&Stack{cfg: cfg, sink: event.Discard}), sink: event.Discard, commands: commands}
	if err := s.wait(t.Context(), false); err != nil {
		t.Error(err)
	}
}
