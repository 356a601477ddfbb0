package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"zr/pkg/cluster/hostport"
	"zr/pkg/event"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

// How much room a first run takes: compiling what no registry serves fills
// some 5 GiB of build cache, store and engine; a run with everything in the
// store writes about 1 GiB.
const (
	diskFail = 2 * gib
	diskWarn = 8 * gib
)

// How much memory a control plane (1 GiB) and a small stack beside it take.
const (
	memoryFail = 1 * gib
	memoryWarn = 3 * gib
)

func checkPorts(ports []Port) []Check {
	var checks []Check
	for _, p := range ports {
		c := Check{Name: fmt.Sprintf("port %d", p.Host), Status: OK, Detail: "free for " + p.Service}
		if err := hostport.Check(p.Host); err != nil {
			c.Status, c.Detail = Fail, err.Error()
			var taken *hostport.Taken
			errors.As(err, &taken)
			c.Hint = fmt.Sprintf("%s, or set cluster.ports.%s in the config", taken.Owner.Remedy(), p.Service)
		}
		checks = append(checks, c)
	}
	return checks
}

func checkDisk(folders []string) []Check {
	var checks []Check
	for _, f := range folders {
		checks = append(checks, disk("disk of "+f, f))
	}
	return checks
}

// disk checks the room in a folder, or in the nearest one above that exists.
func disk(name, folder string) Check {
	c := Check{Name: name, Status: OK}
	for {
		if _, err := os.Stat(folder); err == nil || folder == filepath.Dir(folder) {
			break
		}
		folder = filepath.Dir(folder)
	}
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		c.Status, c.Detail = Warn, fmt.Sprintf("asking for the room in %s: %v", folder, err)
		return c
	}
	free := uint64(s.Bavail) * uint64(s.Bsize)
	c.Detail = bytesText(free) + " free"
	if free < diskWarn {
		c.Status = Warn
		c.Detail += fmt.Sprintf("; a first run needs about %s", bytesText(diskWarn))
		c.Command = "zr images prune"
		c.Hint = c.Command + ", or remove images and containers of the engine that are not used"
	}
	if free < diskFail {
		c.Status = Fail
	}
	return c
}

// checkMemory reads a /proc/meminfo.
func checkMemory(path string, needed bool) []Check {
	if !needed || runtime.GOOS != "linux" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, "MemAvailable:")
		if !ok {
			continue
		}
		kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			return nil
		}
		c := Check{Name: "memory", Status: OK, Detail: bytesText(kib<<10) + " available"}
		if kib<<10 < memoryWarn {
			c.Status, c.Hint = Warn, "stop what takes memory, or give the machine more"
			c.Detail += fmt.Sprintf("; a cluster with a small stack takes about %s", bytesText(memoryWarn))
		}
		if kib<<10 < memoryFail {
			c.Status = Fail
		}
		return []Check{c}
	}
	return nil
}

// limit is a kernel setting that must not be lower than min.
type limit struct {
	file   string // below /proc/sys/fs/inotify
	min    uint64
	reason string
	needed bool
}

// checkInotify reads /proc/sys/fs/inotify. kind's own list of known issues has
// these two: every kubelet, containerd and systemd of a node takes instances
// of the machine's, and what runs out of them fails as "too many open files".
func checkInotify(folder string, cluster, watch bool) []Check {
	var checks []Check
	for _, l := range []limit{
		{"max_user_instances", 512, "nodes and pods take them, and fail as \"too many open files\" without", cluster},
		{"max_user_watches", 65536, "every watched folder takes one", cluster || watch},
	} {
		path := filepath.Join(folder, l.file)
		text, err := os.ReadFile(path)
		if err != nil || !l.needed {
			continue
		}
		have, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
		if err != nil {
			continue
		}
		c := Check{Name: "inotify " + l.file, Status: OK, Detail: strconv.FormatUint(have, 10)}
		if have < l.min {
			setting := fmt.Sprintf("fs.inotify.%s=%d", l.file, l.min)
			c.Status = Warn
			c.Detail += fmt.Sprintf(", better at least %d: %s", l.min, l.reason)
			c.Hint = "sudo sysctl -w " + setting
			if os.Geteuid() == 0 {
				c.Hint = "sysctl -w " + setting
				c.Fix = func(context.Context, event.Sink) error { return raise(path, l, setting) }
			}
			c.Command = c.Hint
		}
		checks = append(checks, c)
	}
	return checks
}

// raise sets a limit now and for the next boot.
func raise(path string, l limit, setting string) error {
	if err := os.WriteFile(path, []byte(strconv.FormatUint(l.min, 10)), 0); err != nil {
		return err
	}
	const folder = "/etc/sysctl.d"
	if _, err := os.Stat(folder); err != nil {
		return nil // a machine without one keeps its settings elsewhere
	}
	return os.WriteFile(filepath.Join(folder, "60-zr-"+l.file+".conf"), []byte(setting+"\n"), 0o644)
}

func bytesText(n uint64) string {
	if n < gib {
		return fmt.Sprintf("%d MiB", n/mib)
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/gib)
}
