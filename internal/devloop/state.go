package devloop

import (
	"errors"
	"strings"
	"sync"

	"zr/pkg/event"
	"zr/pkg/livesync"
)

// StateOf says what the state of a container means for its service: what
// happens to a service that nobody saves is told as well. One is healthy where its
// process is, and its Services lead to that.
func StateOf(service string, c Container) event.ServiceState {
	e := stateOf(service, c.State())
	if e.State == event.Healthy {
		if why := c.Unreached(); why != "" {
			e.State, e.Reason = event.Starting, why
		}
	}
	return e
}

func stateOf(service string, s livesync.State) event.ServiceState {
	e := event.ServiceState{Service: service, Build: s.Status.Build}
	switch {
	case !s.Connected:
		e.State, e.Build = event.Starting, ""
		e.Reason = "the connection to its pod is opened anew"
		if s.Err != nil {
			e.Reason = s.Err.Error()
		}
		if Lost(s.Err) {
			e.State = event.Failed
		}
	case s.Status.Phase == livesync.Down, s.Status.Phase == livesync.Unready:
		e.State = event.Unhealthy
		e.Reason = withOutput(s.Status.Reason, s.Status.Output)
	case s.Status.RolledBack:
		e.State = event.Healthy
		e.Reason = withOutput("the version before the last save runs: "+s.Status.Reason, s.Status.Output)
	case s.Status.Phase == livesync.Healthy && !s.Agreed:
		// The agent vouches for what its image holds, or another `zr dev` left.
		e.State, e.Reason = event.Starting, "it does not run what is saved yet"
	case s.Status.Phase == livesync.Healthy:
		e.State = event.Healthy
	default:
		e.State = event.Starting
	}
	return e
}

// Condition tells what is wrong with the container of a service though nobody
// saved: its process ended, it could not be brought in step, another zr has
// taken it over. It stands apart from what the last save left, until the
// container is healthy again. It is safe for concurrent use.
type Condition struct {
	Service string
	Sink    event.Sink

	mu   sync.Mutex
	text string // the first line of what stands; empty where nothing does
}

// Replayed takes the outcome of bringing a container in step.
func (c *Condition) Replayed(result livesync.Result, err error) {
	switch {
	case err != nil:
		c.stands("bringing a new container in step: "+err.Error(), nil)
	case result.Reason != "":
		c.stands(result.Reason, result.Output)
	}
}

// Changed takes a state of the container.
func (c *Condition) Changed(s livesync.State) {
	switch {
	case Lost(s.Err):
		c.stands("saves do not reach its container: "+s.Err.Error(),
			[]string{"hint: the key r applies everything anew and connects again; Ctrl-C leaves the container to the other one"})
	case s.Connected && s.Status.Phase == livesync.Down:
		c.stands(s.Status.Reason, s.Status.Output)
	case s.Connected && s.Status.Phase == livesync.Healthy && s.Agreed:
		c.Clear()
	}
}

// stands tells of a fault, once: what a process writes differs each time.
func (c *Condition) stands(text string, more []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.text == text {
		return
	}
	c.text = text
	c.Sink.Emit(event.Problem{Source: c.source(), Text: withOutput(text, more)})
}

// Clear ends what stands.
func (c *Condition) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.text != "" {
		c.text = ""
		c.Sink.Emit(event.Problem{Source: c.source(), Cleared: true})
	}
}

func (c *Condition) source() string { return "pod/" + c.Service }

// Lost tells that a client will not be let in any more.
func Lost(err error) bool {
	return errors.Is(err, livesync.ErrRefused) || errors.Is(err, livesync.ErrReplaced)
}

// withOutput appends the last lines of a process to what is said about it.
func withOutput(text string, output []string) string {
	if len(output) == 0 {
		return text
	}
	return text + "\n" + strings.Join(output, "\n")
}
