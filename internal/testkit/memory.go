package testkit

import (
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// MaxMemory is what zr may take at the most, whatever a project holds, in bytes.
const MaxMemory = 150_000_000

// PeakMemory returns the most memory that a command which has ended had at once,
// in bytes. It is no less than what the test itself had when it started it.
func PeakMemory(t testing.TB, c *exec.Cmd) int64 {
	t.Helper()
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("nothing is known of the memory that a process took")
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss << 10 // Linux counts in KiB
}
