package ui

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/event"
)

// TestLinesThatNobodyReadsTakeLittleMemory emits half a gigabyte of log lines for
// an output that takes none, and for a `zr dev` that keeps some, in a child.
func TestLinesThatNobodyReadsTakeLittleMemory(t *testing.T) {
	const child = "ZR_TEST_CHILD"
	if os.Getenv(child) == "" {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), child+"=1")
		testkit.ForgetPeak()
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := testkit.PeakMemory(t, c); got > testkit.MaxMemory {
			t.Errorf("it took %d MB", got/1e6)
		}
		return
	}
	stuck := make(stuckWriter)
	p := New(stuck, JSON)
	kept := &recent{}
	for i := range 8_000 {
		l := event.LogLine{Service: "a", Pod: "p", Text: fmt.Sprint(i, strings.Repeat("x", 64<<10))}
		p.Emit(l)
		kept.add(l)
	}
	close(stuck)
	p.Close()
}

// stuckWriter takes nothing until it is closed.
type stuckWriter chan struct{}

func (s stuckWriter) Write(b []byte) (int, error) { <-s; return len(b), nil }
