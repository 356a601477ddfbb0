package ui

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"zr/pkg/event"
)

// TestNothingThatIsShownCommandsTheTerminal has texts of others in each event
// that has any: what a terminal would obey is not among what is written, and no
// name begins a line of its own.
func TestNothingThatIsShownCommandsTheTerminal(t *testing.T) {
	const evil = "a\x1b]0;title\x07b\x1b[2Jc\u009b31md\u202ee\x08\x7f"
	for name, e := range map[string]event.Event{
		"a compiler":     event.Problem{Source: "web" + evil + "\nFAKE", Text: evil},
		"a fixed source": event.Problem{Source: "web" + evil + "\nFAKE", Cleared: true},
		"a file":         event.Reload{Service: "web", Paths: []string{evil + "\nFAKE Ready"}, Sent: time.Millisecond},
		"two files":      event.Reload{Service: "web", Error: "x", Paths: []string{evil + "\rFAKE", "b"}},
		"a log line":     event.LogLine{Service: "web", Pod: "web-1", Text: evil},
		"a notice":       event.Notice{Text: evil, Hint: evil},
		"a step":         event.StepFailed{Step: "x", Error: evil},
		"what was done":  event.StepDone{Step: "x", Detail: evil},
		"a state":        event.ServiceState{Service: "web", State: event.Unhealthy, Reason: evil},
	} {
		var out bytes.Buffer
		p := New(&out, Plain)
		if cleared, ok := e.(event.Problem); ok && cleared.Cleared {
			p.Emit(event.Problem{Source: cleared.Source, Text: "x"})
		}
		p.Emit(e)
		p.Close()
		if got := out.String(); strings.ContainsAny(got, "\x1b\x07\x08\x7f\u009b\u202e\r") || got == "" {
			t.Errorf("%s: %q", name, got)
		}
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, "FAKE") {
				t.Errorf("%s: a name begins a line: %q", name, out.String())
			}
		}
	}
}
