package engine

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Host is what the machine of an engine lacks. The zero value is an ordinary
// machine, where nothing has to be worked around.
type Host struct {
	// CgroupV1 says that control groups are of version 1, or of both (hybrid).
	CgroupV1 bool
	// NoSysResource says that containers cannot have CAP_SYS_RESOURCE, because
	// the process that starts them does not.
	NoSysResource bool
	// Nofile and Nproc are the hard limits that a container can be given. They
	// are zero where an engine's own choice can be set.
	Nofile, Nproc uint64
}

// capSysResource is CAP_SYS_RESOURCE of linux/capability.h.
const capSysResource = 24

// defaultNofile is the limit of open files that podman gives a container
// which does not say otherwise (RLimitDefaultValue in its libpod/define).
const defaultNofile = 1 << 20

// localHost reads what a process of this machine can hand to a container. proc
// and cgroup are /proc and /sys/fs/cgroup; pid is the process, "self" or a number.
func localHost(proc, cgroup, pid string) Host {
	var h Host
	// The file exists at the root of a unified hierarchy alone. In the hybrid
	// layout the unified one is a folder below.
	if _, err := os.Stat(filepath.Join(cgroup, "cgroup.controllers")); err != nil {
		if _, err := os.Stat(cgroup); err == nil {
			h.CgroupV1 = true
		}
	}
	bounding, ok := boundingSet(filepath.Join(proc, pid, "status"))
	if !ok || bounding&(1<<capSysResource) != 0 {
		return h // a process with CAP_SYS_RESOURCE may raise any limit
	}
	h.NoSysResource = true
	nofile, nproc := hardLimits(filepath.Join(proc, pid, "limits"))
	pidMax := number(filepath.Join(proc, "sys/kernel/pid_max"))
	if pidMax == 0 || (nofile >= defaultNofile && nproc >= pidMax) {
		return h
	}
	// podman lowers its own limit of processes to pid_max before it starts a
	// container, and cannot give one more than it has itself.
	h.Nofile, h.Nproc = min(nofile, defaultNofile), min(nproc, pidMax)
	return h
}

// boundingSet returns the capabilities that a process and its children can
// ever have.
func boundingSet(status string) (uint64, bool) {
	text, err := os.ReadFile(status)
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		if hex, ok := bytes.CutPrefix(line, []byte("CapBnd:")); ok {
			set, err := strconv.ParseUint(string(bytes.TrimSpace(hex)), 16, 64)
			return set, err == nil
		}
	}
	return 0, false
}

// hardLimits reads the hard limits of open files and processes from a
// /proc/<pid>/limits. "unlimited" is the largest number.
func hardLimits(path string) (nofile, nproc uint64) {
	text, err := os.ReadFile(path)
	if err != nil {
		return ^uint64(0), ^uint64(0)
	}
	limit := func(name string) uint64 {
		for line := range strings.Lines(string(text)) {
			rest, ok := strings.CutPrefix(line, name)
			if !ok {
				continue
			}
			if f := strings.Fields(rest); len(f) >= 2 {
				if n, err := strconv.ParseUint(f[1], 10, 64); err == nil {
					return n
				}
			}
		}
		return ^uint64(0)
	}
	return limit("Max open files"), limit("Max processes")
}

func number(path string) uint64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return n
}

// containersConf returns the podman settings that get around what h lacks, or
// nil where nothing has to be. haveCrun says that podman would start
// containers with crun.
func containersConf(h Host, haveCrun bool) []byte {
	var b bytes.Buffer
	if h.Nofile != 0 {
		fmt.Fprintf(&b, "[containers]\ndefault_ulimits = [\"nofile=%d:%d\", \"nproc=%d:%d\"]\n",
			h.Nofile, h.Nofile, h.Nproc, h.Nproc)
	}
	if h.CgroupV1 && haveCrun {
		b.WriteString("[engine]\nruntime = \"runc\"\n")
	}
	return b.Bytes()
}
