// Package engine finds the container engine of this machine (docker, podman
// or nerdctl), runs its commands, installs one where that is possible, and
// knows what a constrained machine takes away from it.
package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// The names of the engines, which are those of their commands.
const (
	Docker  = "docker"
	Podman  = "podman"
	Nerdctl = "nerdctl"
)

// Engine is a container engine that answers. The zero value is none. It is
// safe for concurrent use.
type Engine struct {
	Name    string // Docker, Podman or Nerdctl
	Path    string // of the command
	Version string
	// Root is where the engine keeps images and containers on this machine. It
	// is empty where it runs on another one, a virtual one included.
	Root     string
	Rootless bool
	Host     Host
	// Env is what the engine's processes need in their environment beside
	// zr's own: the settings that get around what Host lacks.
	Env []string
	// Skipped are the engines that come before this one and cannot be used.
	Skipped []Skip
}

// NotInstalled is the Reason of an engine whose command is not there.
const NotInstalled = "not installed"

// Skip says why an engine cannot be used.
type Skip struct{ Name, Reason string }

func (s Skip) String() string { return s.Name + ": " + s.Reason }

// Zero says whether e is no engine at all.
func (e Engine) Zero() bool { return e.Name == "" }

// killDelay is how long a cancelled engine command may take to end by itself:
// podman and docker undo a started container when they are told to stop.
const killDelay = 5 * time.Second

// Command returns an engine command. It runs in a process group of its own, so
// that Ctrl-C in a terminal reaches it through ctx alone and zr decides what
// is undone.
func (e Engine) Command(ctx context.Context, args ...string) *exec.Cmd {
	path := e.Path
	if path == "" {
		path = e.Name
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), e.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = killDelay
	return cmd
}

// Run runs an engine command. stdin and stdout may be nil. The error holds
// what the command wrote to stderr.
func (e Engine) Run(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error {
	var stderr bytes.Buffer
	cmd := e.Command(ctx, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &stderr
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return &CommandError{Args: append([]string{e.Name}, args...), Stderr: strings.TrimSpace(stderr.String()), Err: err}
}

// Output runs an engine command and returns what it wrote to stdout.
func (e Engine) Output(ctx context.Context, args ...string) ([]byte, error) {
	var stdout bytes.Buffer
	err := e.Run(ctx, nil, &stdout, args...)
	return stdout.Bytes(), err
}

// stderrLines is how much of what a command said fits an error. The reason
// stands at the end.
const stderrLines = 20

// CommandError is an engine command that failed.
type CommandError struct {
	Args   []string
	Stderr string
	Err    error
}

func (e *CommandError) Error() string {
	// The arguments of a `run` fill a screen; its verb and object say enough.
	args := e.Args
	if len(args) > 6 {
		args = append(append([]string{}, args[:6]...), "…")
	}
	text := fmt.Sprintf("%s: %v", strings.Join(args, " "), e.Err)
	if e.Stderr != "" {
		text += ": " + tail(e.Stderr, stderrLines)
	}
	return text
}

// Unwrap returns what the process or its context said.
func (e *CommandError) Unwrap() error { return e.Err }
