package devloop

import (
	"strings"
	"sync"

	"zr/pkg/event"
	"zr/pkg/livesync"
)

// StateOf says what the state of a container means for its service: what
// happens to a service that nobody saves is told as well.
func StateOf(service string, s livesync.State) event.ServiceState {
	e := event.ServiceState{Service: service, Build: s.Status.Build}
	switch {
	case !s.Connected:
		e.State, e.Build = event.Starting, ""
		e.Reason = "the connection to its pod is opened anew"
		if s.Err != nil {
			e.Reason = s.Err.Error()
		}
	case s.Status.Phase == livesync.Down:
		e.State = event.Unhealthy
		e.Reason = withOutput(s.Status.Reason, s.Status.Output)
	case s.Status.RolledBack:
		e.State = event.Healthy
		e.Reason = withOutput("the version before the last save runs: "+s.Status.Reason, s.Status.Output)
	case s.Status.Phase == livesync.Healthy:
		e.State = event.Healthy
	default:
		e.State = event.Starting
	}
	return e
}

// Replays tells how a container that came up with other files was brought in
// step, until it is. What else stands of the service is left alone. It is safe
// for concurrent use.
type Replays struct {
	Service string
	Sink    event.Sink

	mu     sync.Mutex
	failed bool
}

// Done takes the outcome of one.
func (r *Replays) Done(result livesync.Result, err error) {
	switch {
	case err != nil:
		r.fail("bringing a new container in step: " + err.Error())
	case result.Reason != "":
		r.fail(withOutput(result.Reason, result.Output))
	default:
		r.mended()
	}
}

// Changed takes a state of the container: a save may have mended it.
func (r *Replays) Changed(s livesync.State) {
	if s.InStep && s.Status.Phase == livesync.Healthy {
		r.mended()
	}
}

func (r *Replays) fail(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
	r.Sink.Emit(event.Problem{Source: r.Service, Text: text})
}

func (r *Replays) mended() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed {
		r.failed = false
		r.Sink.Emit(event.Problem{Source: r.Service, Cleared: true})
	}
}

// withOutput appends the last lines of a process to what is said about it.
func withOutput(text string, output []string) string {
	if len(output) == 0 {
		return text
	}
	return text + "\n" + strings.Join(output, "\n")
}
