package livesync

import (
	"strings"
	"testing"
	"time"

	"zr/internal/agent/agenttest"
)

// TestASlowStarterHasTheTimeThatItWasGiven pushes a version that is healthy a
// while after its start to a client that waits for less, and to one that waits
// for more.
func TestASlowStarterHasTheTimeThatItWasGiven(t *testing.T) {
	a := goService(t, agenttest.Behaviour{"id": "image"})
	slow := version(t, agenttest.Behaviour{"id": "slow", "startUp": time.Second}, "slow")
	short := dial(t, a, func(o *Options) { o.Patience = 100 * time.Millisecond })
	if r := push(t, short, slow); !r.RolledBack || !strings.Contains(r.Reason, "not healthy within 100ms") {
		t.Errorf("with less time than it takes: %+v", r)
	}
	short.Close()
	long := dial(t, a, func(o *Options) { o.Patience = time.Minute })
	if r := push(t, long, slow); r.Reason != "" || r.RolledBack || r.Build != "slow" {
		t.Errorf("with more time than it takes: %+v", r)
	}
}
