package watch

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"zr/pkg/fault"
)

// The kernel's limits. The first two are per user and for the whole machine,
// the others for the user namespace that zr may be in.
const (
	maxWatches   = "fs.inotify.max_user_watches"
	maxInstances = "fs.inotify.max_user_instances"
	nsWatches    = "user.max_inotify_watches"
	nsInstances  = "user.max_inotify_instances"
)

// What the hints propose: what common distributions ship today. A watch takes
// about 1 KiB of kernel memory while it is used, and nothing before.
const (
	enoughWatches   = 524288
	enoughInstances = 1024
)

// limitFault adds the exact sysctl to an error that comes from a limit of
// inotify. watched is how many folders were watched when it was reached.
func limitFault(err error, watched int) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		want := enoughWatches
		for want < 4*watched { // other programs of this user watch as well
			want *= 2
		}
		name, now := lowest(maxWatches, nsWatches)
		return fault.Hint(err, fmt.Sprintf("the kernel lets a user watch %s folders and files, and zr alone watches %d: %s", or(now, "few"), watched, sysctl(name, want)))
	case errors.Is(err, syscall.EMFILE):
		name, now := lowest(maxInstances, nsInstances)
		return fault.Hint(err, fmt.Sprintf("the kernel lets a user run %s watchers (editors, IDEs, other dev servers): %s; or raise this shell's limit of open files: ulimit -n 4096", or(now, "few"), sysctl(name, enoughInstances)))
	}
	return err
}

func sysctl(name string, value int) string {
	return fmt.Sprintf("sudo sysctl -w %s=%d, and for good: echo %s=%d | sudo tee /etc/sysctl.d/60-zr.conf", name, value, name, value)
}

// lowest returns which of two limits is the lower one, and its value; the
// first where that cannot be read.
func lowest(a, b string) (name, value string) {
	va, vb := readSysctl(a), readSysctl(b)
	na, errA := strconv.Atoi(va)
	nb, errB := strconv.Atoi(vb)
	if errA == nil && errB == nil && nb < na {
		return b, vb
	}
	return a, va
}

func readSysctl(name string) string {
	data, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
