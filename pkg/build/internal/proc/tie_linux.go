package proc

import (
	"runtime"
	"syscall"
)

// tie has a command end with this process, however that ends. It ends with the
// thread that starts it, which therefore stays with it until done is called.
func tie(a *syscall.SysProcAttr) (done func()) {
	runtime.LockOSThread()
	a.Pdeathsig = syscall.SIGKILL
	return runtime.UnlockOSThread
}
