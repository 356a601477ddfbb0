package devloop

import (
	"strings"

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

// withOutput appends the last lines of a process to what is said about it.
func withOutput(text string, output []string) string {
	if len(output) == 0 {
		return text
	}
	return text + "\n" + strings.Join(output, "\n")
}
