package testkit

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
)

// MaxMemory is what zr may take at the most, whatever a project holds, in bytes.
const MaxMemory = 150_000_000

// ForgetPeak lets this process give back what it does not use, and forget how much it
// has had: a command that it starts is counted as having had as much until it runs its
// own program. Where the kernel knows no such thing it does nothing.
func ForgetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // see proc(5)
}

// PeakMemory returns the most memory that a command which has ended had at once,
// in bytes. It is no less than what the test itself had had when it started it: see
// ForgetPeak.
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
