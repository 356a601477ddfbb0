// Package proc runs compilers and package managers: in a process group of
// their own, so that cancelling a build ends everything that it started.
package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// grace is how long a cancelled command may tidy up before it is killed. The
// go command removes its work folder in that time.
const grace = 2 * time.Second

// Command is one run of a program.
type Command struct {
	Args []string
	Dir  string
	Env  []string // all of it; nil is that of this process
	Name string   // how an error calls it. Default: program, verb and last argument
	// Clean turns output into what an error shows. Default: trimmed.
	Clean func(output string) string
	// Line is told each line of the output as it comes. It returns quickly.
	Line func(line string)
}

// Error says that a command failed: its name, how it ended, and its words.
type Error struct {
	Name   string
	Err    error
	Output string
}

func (e *Error) Error() string {
	if e.Output == "" {
		return fmt.Sprintf("%s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("%s: %v: %s", e.Name, e.Err, e.Output)
}

func (e *Error) Unwrap() error { return e.Err }

// Run runs the command to its end and returns what it wrote to stdout. The
// error is the context's where it was cancelled, and otherwise an *Error with
// all that the command wrote, in its order.
func (c Command) Run(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	var stdout bytes.Buffer
	both := &words{line: c.Line}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.Stdout, cmd.Stderr = tee(&stdout, both), both
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return signalGroup(cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return nil, &Error{Name: c.name(), Err: err}
	}
	err := cmd.Wait()
	if ctx.Err() != nil {
		// What ignored the first signal, or outlived its parent.
		_ = signalGroup(cmd.Process.Pid, syscall.SIGKILL)
		return nil, context.Cause(ctx)
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		// It ended well. What it left running, such as a compiler's server, would
		// keep this pipe for as long as it likes.
		_ = signalGroup(cmd.Process.Pid, syscall.SIGKILL)
		err = nil
	}
	if err != nil {
		clean := c.Clean
		if clean == nil {
			clean = strings.TrimSpace
		}
		return nil, &Error{Name: c.name(), Err: err, Output: clean(both.String())}
	}
	return stdout.Bytes(), nil
}

// name is how an error calls the command: without the flags in the middle.
func (c Command) name() string {
	if c.Name != "" {
		return c.Name
	}
	words := []string{c.Args[0]}
	for i, arg := range c.Args[1:] {
		last := i == len(c.Args)-2
		if (i == 0 || last) && !strings.HasPrefix(arg, "-") {
			words = append(words, arg)
		}
	}
	return strings.Join(words, " ")
}

func signalGroup(pid int, signal syscall.Signal) error {
	err := syscall.Kill(-pid, signal)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
