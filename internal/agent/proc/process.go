package proc

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"zr/pkg/executable"
)

// Command is what to run.
type Command struct {
	Argv   []string
	Dir    string
	Env    []string
	Stdout io.Writer // gets what the process writes, unchanged
	Stderr io.Writer
}

// Process is a running process in a process group of its own.
type Process struct {
	Pid     int
	Started time.Time

	reaper *Reaper
	exited chan struct{}
	status syscall.WaitStatus // valid once exited is closed
	tail   *tail
	drain  sync.WaitGroup // the copiers of its output
}

// busyRetries is how often a start is tried again while some fork of this
// process still holds a descriptor through which the binary was written
// (ETXTBSY); such a fork lives for less than a millisecond.
const busyRetries = 20

// Start starts a process.
func Start(r *Reaper, c Command) (*Process, error) {
	path, err := exec.LookPath(c.Argv[0])
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.Argv[0], err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.Argv[0], err)
	}
	defer null.Close()
	p := &Process{reaper: r, exited: make(chan struct{}), tail: newTail()}
	out, outW, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.Argv[0], err)
	}
	defer outW.Close()
	errs, errsW, err := os.Pipe()
	if err != nil {
		out.Close()
		return nil, fmt.Errorf("starting %s: %w", c.Argv[0], err)
	}
	defer errsW.Close()
	attr := &syscall.ProcAttr{
		Dir:   c.Dir,
		Env:   c.Env,
		Files: []uintptr{null.Fd(), outW.Fd(), errsW.Fd()},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	}
	var done <-chan syscall.WaitStatus
	for try := 0; ; try++ {
		p.Started = time.Now()
		p.Pid, done, err = r.start(path, c.Argv, attr)
		if !errors.Is(err, syscall.ETXTBSY) || try == busyRetries {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err != nil {
		out.Close()
		errs.Close()
		return nil, fmt.Errorf("starting %s: %w", c.Argv[0], executable.Why(path, err))
	}
	p.drain.Add(2)
	go p.copy(c.Stdout, out)
	go p.copy(c.Stderr, errs)
	go func() {
		p.status = <-done
		p.awaitOutput()
		close(p.exited)
	}()
	return p, nil
}

func (p *Process) copy(dst io.Writer, src *os.File) {
	defer p.drain.Done()
	defer src.Close()
	_, _ = io.Copy(io.MultiWriter(p.tail.stream(), dst), src)
}

// drainTime bounds how long an exit waits for the last lines to be read. A
// grandchild may hold the pipe open for ever.
const drainTime = 20 * time.Millisecond

func (p *Process) awaitOutput() {
	read := make(chan struct{})
	go func() { p.drain.Wait(); close(read) }()
	select {
	case <-read:
	case <-time.After(drainTime):
	}
}

// Exited is closed when the process has ended and its output was read.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Running reports whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Output returns the last lines that the process wrote.
func (p *Process) Output() []string { return p.tail.lines() }

// ExitCode is that of the process, in the manner of a shell: 128 and the
// signal where one ended it. It must only be called after Exited.
func (p *Process) ExitCode() int {
	if p.status.Signaled() {
		return 128 + int(p.status.Signal())
	}
	return p.status.ExitStatus()
}

// Cause says how the process ended. It must only be called after Exited.
func (p *Process) Cause() string {
	if p.status.Signaled() {
		s := "killed by " + cmp.Or(unix.SignalName(p.status.Signal()), p.status.Signal().String())
		if p.status.Signal() == syscall.SIGKILL {
			s += " (out of memory?)"
		}
		return s
	}
	return fmt.Sprintf("exited with status %d", p.status.ExitStatus())
}

// Signal sends a signal to the whole process group.
func (p *Process) Signal(s syscall.Signal) { _ = syscall.Kill(-p.Pid, s) }
