// Package proc runs the service's process for the agent. It does the duties of PID 1,
// and stops and starts the process with the smallest gap. It keeps the last lines of
// what the process wrote, and asks it whether it is healthy.
package proc

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Reaper waits for every child of this process: those that were started
// through it, and orphans that the kernel hands to PID 1. Nothing else in the
// process may wait for children.
type Reaper struct {
	mu      sync.Mutex
	waiting map[int]chan<- syscall.WaitStatus
	signals chan os.Signal
}

// prSetChildSubreaper is PR_SET_CHILD_SUBREAPER of prctl(2).
const prSetChildSubreaper = 36

// NewReaper starts to reap. Where the agent is not PID 1, for example in a
// pod that shares its process namespace, orphans of the service come to it
// all the same.
func NewReaper() *Reaper {
	if os.Getpid() != 1 {
		// Best effort: without it the orphans go to the real PID 1.
		_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0)
	}
	r := &Reaper{
		waiting: map[int]chan<- syscall.WaitStatus{},
		signals: make(chan os.Signal, 1),
	}
	signal.Notify(r.signals, syscall.SIGCHLD)
	go func() {
		for range r.signals {
			r.reap()
		}
	}()
	return r
}

// Close stops reaping.
func (r *Reaper) Close() {
	signal.Stop(r.signals)
	close(r.signals)
}

// reap takes every child that has ended: one SIGCHLD may stand for many.
func (r *Reaper) reap() {
	for {
		var status syscall.WaitStatus
		// The lock is held across the wait: a child that ends at once must
		// not be taken before start has put it on the list.
		r.mu.Lock()
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			r.mu.Unlock()
			continue
		}
		if err != nil || pid <= 0 {
			r.mu.Unlock()
			return
		}
		done := r.waiting[pid]
		delete(r.waiting, pid)
		r.mu.Unlock()
		if done != nil {
			done <- status
		}
	}
}

// start forks a child and returns a channel that takes its status once.
func (r *Reaper) start(path string, argv []string, attr *syscall.ProcAttr) (int, <-chan syscall.WaitStatus, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		return 0, nil, err
	}
	done := make(chan syscall.WaitStatus, 1)
	r.waiting[pid] = done
	return pid, done, nil
}
