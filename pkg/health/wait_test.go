package health

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"zr/pkg/diagnose"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// TestAway waits for a service of a cluster that is not there.
func TestAway(t *testing.T) {
	g := New(clientOf(t, fmt.Sprintf("http://127.0.0.1:%d", closedPort(t))), nil)
	defer g.Close()
	targets := []Target{{Target: diagnose.Target{Service: "api", Kind: "Deployment", Namespace: "ns"}, Timeout: 300 * time.Millisecond}}
	err := g.Wait(t.Context(), targets, event.Discard)
	if fault.Code(err) != fault.NotHealthy || !strings.Contains(err.Error(), "the Kubernetes API does not answer: ") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
	if _, err := g.Check(t.Context(), targets); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}
