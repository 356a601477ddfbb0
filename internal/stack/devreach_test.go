package stack

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zr/internal/devloop"
	"zr/pkg/event"
	"zr/pkg/livesync"
)

// onePush is an agent of which each push ends in the same way.
type onePush struct {
	mu     sync.Mutex
	state  livesync.State
	result livesync.Result
	err    error
}

func (c *onePush) State() livesync.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

func (c *onePush) Push(context.Context, livesync.Change) (livesync.Result, error) {
	return c.result, c.err
}

func (c *onePush) set(change func(*livesync.State)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.state)
}

func healthyAs(told int) livesync.State {
	s := livesync.State{Connected: true, Agreed: true}
	s.Status.Phase, s.Status.Boot, s.Status.Told = livesync.Healthy, "boot", told
	return s
}

// TestAPodThatComesBackIntoItsService is not live before it is there.
func TestAPodThatComesBackIntoItsService(t *testing.T) {
	away := errors.New("its Service leads nowhere")
	for name, tt := range map[string]struct {
		reached int // the standing in which its Services led to it
		result  livesync.Result
		leads   error
		asked   bool
		reason  string
	}{
		"it was there all the time": {reached: 3},
		"it comes back":             {reached: 1, asked: true},
		"it is new":                 {asked: true},
		"it does not":               {reached: 1, leads: away, asked: true, reason: away.Error()},
		"it was taken back":         {reached: 1, result: livesync.Result{Reason: "it ended", RolledBack: true}, reason: "it ended"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := false
				c := newThroughService(&onePush{state: healthyAs(3), result: tt.result}, func(context.Context) error {
					asked = true
					time.Sleep(time.Second)
					return tt.leads
				})
				if tt.reached > 0 {
					c.reached = standing{"boot", tt.reached}
				}
				r, err := c.Push(t.Context(), livesync.Change{})
				if err != nil || asked != tt.asked || r.Reason != tt.reason || (r.Healthy == time.Second) != tt.asked {
					t.Errorf("%+v, %v; asked %v", r, err, asked)
				}
			})
		})
	}
}

// TestTheWayToAProcessThatEndsMeanwhile proves nothing, and neither does the word of
// an API that has not heard yet what the kubelet was told.
func TestTheWayToAProcessThatEndsMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &onePush{state: healthyAs(2)}
		looks := 0
		c := newThroughService(s, func(context.Context) error {
			looks++
			if looks == 2 {
				s.set(func(s *livesync.State) { s.Status.Told = 3 })
			}
			return nil
		})
		if err := c.reach(t.Context()); err != nil || looks != 3 || c.Unreached() != "" {
			t.Errorf("%v after %d looks; %q", err, looks, c.Unreached())
		}
		s.set(func(s *livesync.State) { s.Status.Boot = "another" })
		c.leads = func(context.Context) error {
			s.set(func(s *livesync.State) { s.Status.Phase = livesync.Down })
			return nil
		}
		if err := c.reach(t.Context()); err == nil || c.Unreached() != err.Error() {
			t.Errorf("%v; %q", err, c.Unreached())
		}
	})
}

// TestHealthyIsSaidOnceTheServiceLeadsThere, of a process that its agent started
// anew, too.
func TestHealthyIsSaidOnceTheServiceLeadsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var states []event.State
		var problems []bool
		sink := event.SinkFunc(func(e event.Event) {
			switch e := e.(type) {
			case event.ServiceState:
				states = append(states, e.State)
			case event.Problem:
				problems = append(problems, e.Cleared)
			}
		})
		s := &onePush{state: healthyAs(1)}
		leads := make(chan struct{})
		c := newThroughService(s, func(context.Context) error { <-leads; return nil })
		c.reached = standing{"boot", 1}
		teller := &teller{service: "web", condition: &devloop.Condition{Service: "web", Sink: sink}, container: c, sink: sink, runs: func() bool { return true }}
		teller.tell(ctx)
		s.set(func(s *livesync.State) { s.Status.Phase, s.Status.Reason, s.Status.Told = livesync.Down, "it ended", 2 })
		teller.tell(ctx)
		s.set(func(s *livesync.State) { s.Status.Phase, s.Status.Told = livesync.Healthy, 3 })
		teller.tell(ctx)
		synctest.Wait()
		if want := []event.State{event.Healthy, event.Unhealthy, event.Starting}; !slices.Equal(states, want) || !slices.Equal(problems, []bool{false}) {
			t.Errorf("%v while its Service leads nowhere, problems %v", states, problems)
		}
		close(leads)
		teller.work.Wait()
		if want := []event.State{event.Healthy, event.Unhealthy, event.Starting, event.Healthy}; !slices.Equal(states, want) || !slices.Equal(problems, []bool{false, true}) {
			t.Errorf("%v once it leads there, problems %v", states, problems)
		}
		cancel()
	})
}
