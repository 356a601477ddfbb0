package devloop

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/livesync"
)

func TestStateOf(t *testing.T) {
	healthy := livesync.Status{Phase: livesync.Healthy, Build: "b"}
	for name, c := range map[string]struct {
		state livesync.State
		want  event.ServiceState
	}{
		"lost":     {livesync.State{Err: errors.New("no pod runs")}, event.ServiceState{State: event.Starting, Reason: "no pod runs"}},
		"lost now": {livesync.State{}, event.ServiceState{State: event.Starting, Reason: "the connection to its pod is opened anew"}},
		"lost for good": {
			livesync.State{Err: fmt.Errorf("%w: another token", livesync.ErrRefused)},
			event.ServiceState{State: event.Failed, Reason: livesync.ErrRefused.Error() + ": another token"},
		},
		"healthy": {livesync.State{Connected: true, Agreed: true, Status: healthy}, event.ServiceState{State: event.Healthy, Build: "b"}},
		"a new container that runs what its image holds": {
			livesync.State{Connected: true, Status: healthy},
			event.ServiceState{State: event.Starting, Build: "b", Reason: "it does not run what is saved yet"},
		},
		"starting": {livesync.State{Connected: true, Status: livesync.Status{Phase: livesync.Starting, Build: "b"}}, event.ServiceState{State: event.Starting, Build: "b"}},
		"crashed": {
			livesync.State{Connected: true, Status: livesync.Status{Phase: livesync.Down, Build: "b", Reason: "exited with status 2", Output: []string{"panic"}}},
			event.ServiceState{State: event.Unhealthy, Build: "b", Reason: "exited with status 2\npanic"},
		},
		"taken back": {
			livesync.State{Connected: true, Agreed: true, Status: livesync.Status{Phase: livesync.Healthy, Build: "a", Reason: "exited", RolledBack: true}},
			event.ServiceState{State: event.Healthy, Build: "a", Reason: "the version before the last save runs: exited"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Service = "api"
			if diff := cmp.Diff(c.want, StateOf("api", &container{state: c.state})); diff != "" {
				t.Error(diff)
			}
			unreached := StateOf("api", &container{state: c.state, unreached: "its Service leads nowhere"})
			if said := unreached.Reason == "its Service leads nowhere"; said != (c.want.State == event.Healthy) || unreached.State == event.Healthy {
				t.Errorf("where its Service leads nowhere: %+v", unreached)
			}
		})
	}
}

// TestCondition leaves what the compiler said on the screen when a process
// ends by itself, and when a pod is replaced.
func TestCondition(t *testing.T) {
	var said []event.Event
	c := &Condition{Service: "api", Sink: event.SinkFunc(func(e event.Event) { said = append(said, e) })}
	healthy := livesync.State{Connected: true, Agreed: true, Status: livesync.Status{Phase: livesync.Healthy}}
	down := livesync.State{Connected: true, Agreed: true, Status: livesync.Status{Phase: livesync.Down, Reason: "exited", Output: []string{"panic at 1"}}}
	c.Replayed(livesync.Result{}, nil)
	c.Changed(healthy)
	c.Changed(down)
	down.Status.Output = []string{"panic at 2"}
	c.Changed(down)
	c.Changed(livesync.State{Connected: true, Agreed: true, Status: livesync.Status{Phase: livesync.Starting}})
	c.Replayed(livesync.Result{}, errors.New("no way"))
	c.Changed(livesync.State{Connected: true, Status: healthy.Status}) // what the image holds
	c.Changed(healthy)
	c.Changed(healthy)
	c.Changed(livesync.State{Err: livesync.ErrReplaced})
	c.Clear()
	want := []event.Event{
		event.Problem{Source: "pod/api", Text: "exited\npanic at 1"},
		event.Problem{Source: "pod/api", Text: "bringing a new container in step: no way"},
		event.Problem{Source: "pod/api", Cleared: true},
		event.Problem{Source: "pod/api", Text: "saves do not reach its container: " + livesync.ErrReplaced.Error() +
			"\nhint: the key r applies everything anew and connects again; Ctrl-C leaves the container to the other one"},
		event.Problem{Source: "pod/api", Cleared: true},
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
}

// TestNothingIsHealthyAfterAFailedApply runs manifests through all that may
// become of a save, and reads what is said of them.
func TestNothingIsHealthyAfterAFailedApply(t *testing.T) {
	refused, sick := fault.Hint(errors.New("the server refuses it"), "fix it"), errors.New("service web is not healthy")
	for name, c := range map[string]struct {
		work           Work
		apply, healthy error
		want           event.ServiceState
		problem        string
	}{
		"applied":           {Work{}, nil, nil, event.ServiceState{State: event.Applied}, ""},
		"refused":           {Work{}, refused, nil, event.ServiceState{State: event.Failed, Reason: "what the cluster was told before stays"}, "the server refuses it\nhint: fix it"},
		"applied, and sick": {Work{}, nil, sick, event.ServiceState{State: event.Applied, Reason: "not everything is healthy"}, sick.Error()},
		"sick at the start": {(&Manifests{}).First(), nil, sick, event.ServiceState{State: event.Applied, Reason: "not everything is healthy"}, sick.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			wait := func(context.Context) error { return c.healthy }
			m := &Manifests{Label: "manifests", Healthy: wait, Apply: func(context.Context) (func(context.Context) error, error) { return wait, c.apply }}
			var text string
			err := m.Run(t.Context(), c.work, &event.Reload{})
			if err != nil {
				text = err.Error()
			}
			c.want.Service = "manifests"
			if diff := cmp.Diff(c.want, m.State(err)); diff != "" || text != c.problem {
				t.Errorf("%s\n%s", text, diff)
			}
		})
	}
}

// TestWhatIsStoppedIsNotHealthyAfterASave deploys an image of which no pod is to
// run.
func TestWhatIsStoppedIsNotHealthyAfterASave(t *testing.T) {
	idle := "its manifest asks for 0 replicas"
	d := &Deployed{Service: "worker", Idle: func() string { return idle }}
	if got := d.State(nil); got.State != event.Stopped || got.Reason != idle {
		t.Errorf("it is %+v", got)
	}
	idle = ""
	if got := d.State(nil); got.State != event.Healthy {
		t.Errorf("once it is meant to run it is %+v", got)
	}
}

// TestAFirstRunBlamesNoSaveForWhatRuns finds a program that has ended by itself,
// with nothing to send: that is told by its container, and clears by itself.
func TestAFirstRunBlamesNoSaveForWhatRuns(t *testing.T) {
	ended := livesync.Result{Unchanged: true, Reason: "exited with status 1", Output: []string{"no database yet"}}
	var f *Fault
	if err := conclude(Work{Quiet: true}, ended, nil, &event.Reload{}); err != nil {
		t.Errorf("where nobody asked: %v", err)
	}
	if err := conclude(Work{}, ended, nil, &event.Reload{}); !errors.As(err, &f) {
		t.Errorf("where somebody saved: %v", err)
	}
	ended.Unchanged = false
	if err := conclude(Work{Quiet: true}, ended, nil, &event.Reload{}); !errors.As(err, &f) {
		t.Errorf("where something was sent: %v", err)
	}
}
