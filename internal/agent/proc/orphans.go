package proc

import (
	"bytes"
	"os"
	"path/filepath"
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
		if r.waiting[pid] != nil || parentOf(stat) != os.Getpid() {
			continue
		}
		found = true
		_ = syscall.Kill(-pid, syscall.SIGKILL) // its group, where it leads one
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return found
}

// parentOf returns the number of the parent of the process that a stat file is
// about, 0 where that is gone.
func parentOf(stat string) int {
	b, err := os.ReadFile(stat)
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // its state, its parent, ...
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}
