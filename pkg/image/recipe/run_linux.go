package recipe

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// isolate gives a command a mount namespace where it mounts as root: what it
// mounts is gone with it, and no later clean-up walks into /proc or /dev.
func isolate(cmd *exec.Cmd, mounts bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if mounts && os.Geteuid() == 0 {
		cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
	}
}

// runTied runs a command on a thread that stays with it: Pdeathsig means the
// thread that started the child, not the process.
func runTied(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}
