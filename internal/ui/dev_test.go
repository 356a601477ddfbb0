package ui

import (
	"strings"
	"testing"

	"zr/pkg/event"
)

// TestAServiceThatIsGoneHasNoLine renames one: what stood of it goes with it.
func TestAServiceThatIsGoneHasNoLine(t *testing.T) {
	v := newView(noColour(), newDevView([]string{"web"}, false))
	v.take(event.ServiceState{Service: "web", State: event.Starting, Reason: "the connection to its pod is opened anew"}, began)
	v.take(event.ServiceState{Service: "front", State: event.Healthy}, began)
	v.take(event.ServiceState{Service: "web", State: event.Removed}, began)
	if frame := strings.Join(v.frame(), "\n"); strings.Contains(frame, "web") || !strings.Contains(frame, "front") || v.busy() {
		t.Errorf("it shows\n%s", frame)
	}
}
