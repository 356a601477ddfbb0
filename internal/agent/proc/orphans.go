package proc

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// orphanTries is how often it is looked for orphans, a millisecond apart: each
// that is killed may leave children of its own, and is there until it is reaped.
const orphanTries = 100

// endOrphans kills what this process has adopted: processes that left the group
// of the one that started them, as setsid(2) does, and outlived it. They may
// hold the port that the next one needs.
func (r *Reaper) endOrphans() {
	for range orphanTries {
		if !r.killOrphans() {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// killOrphans reports whether there were any. The lock keeps a process that
// has ended from being reaped, and its number from being another's.
func (r *Reaper) killOrphans() (found bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if _, ppid := stateOf(stat); r.waiting[pid] != nil || ppid != os.Getpid() {
			continue
		}
		found = true
		_ = syscall.Kill(-pid, syscall.SIGKILL) // its group, where it leads one
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return found
}

// HasChildren reports whether a child of the process runs.
func (p *Process) HasChildren() bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	return slices.ContainsFunc(stats, func(stat string) bool {
		state, ppid := stateOf(stat)
		return ppid == p.Pid && state != "Z"
	})
}

// stateOf returns the state of the process that a stat file is about, and the
// number of its parent.
func stateOf(stat string) (state string, parent int) {
	b, err := os.ReadFile(stat)
	if err != nil {
		return "", 0 // it is gone
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 2 {
		return "", 0
	}
	parent, _ = strconv.Atoi(fields[1])
	return fields[0], parent
}
