// Package proc runs compilers and package managers: in a process group of
// their own, so that cancelling a build ends everything that it started. It is
// also the one place that decides what of a failed tool's words an error shows.
package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	// Clean takes out of the words what says nothing. Default: trimmed. What is
	// left is cut to a length that people read.
	Clean func(words string) string
	// Line is told each line of the words as it comes. It returns quickly.
	Line func(line string)
}

// Error says that a command failed: its name, how it ended, and its words.
type Error struct {
	Name  string
	Err   error
	Words string
}

func (e *Error) Error() string {
	if e.Words == "" {
		return fmt.Sprintf("%s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("%s: %v: %s", e.Name, e.Err, e.Words)
}

func (e *Error) Unwrap() error { return e.Err }

// Run runs a command that writes for people on both of its outputs. The error is the
// context's where it was cancelled, and otherwise an *Error with what the command
// said, in its order.
func (c Command) Run(ctx context.Context) error {
	said := &words{line: c.Line}
	return c.run(ctx, said, said)
}

// Output runs a command whose stdout is data, and returns that. Its words are what
// it writes to stderr; errors are as those of Run, and never hold the data.
func (c Command) Output(ctx context.Context) ([]byte, error) {
	var data bytes.Buffer
	if err := c.run(ctx, &data, &words{line: c.Line}); err != nil {
		return nil, err
	}
	return data.Bytes(), nil
}

func (c Command) run(ctx context.Context, stdout io.Writer, said *words) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.Stdout, cmd.Stderr = stdout, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	defer tie(cmd.SysProcAttr)()
	cmd.Cancel = func() error { return signalGroup(cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return &Error{Name: c.name(), Err: err}
	}
	err := cmd.Wait()
	if ctx.Err() != nil {
		// What ignored the first signal, or outlived its parent.
		_ = signalGroup(cmd.Process.Pid, syscall.SIGKILL)
		return context.Cause(ctx)
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		// It ended well. What it left running, such as a compiler's server, would
		// keep this pipe for as long as it likes.
		_ = signalGroup(cmd.Process.Pid, syscall.SIGKILL)
		err = nil
	}
	if err == nil {
		return nil
	}
	clean := c.Clean
	if clean == nil {
		clean = strings.TrimSpace
	}
	return &Error{Name: c.name(), Err: err, Words: forPeople(clean(said.String()))}
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
