package ui

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestNothingIsAskedOfTheTerminal starts a program that this package is linked
// into, this test, on a terminal that does not answer.
func TestNothingIsAskedOfTheTerminal(t *testing.T) {
	master, terminal := openPTY(t, 80, 24)
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), "TERM=xterm-256color", "CI=")
	child.Stdin, child.Stdout, child.Stderr = terminal, terminal, terminal
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	printed, _ := io.ReadAll(master) // it ends with an error, as terminals do
	if err := child.Wait(); err != nil || strings.Contains(string(printed), "\x1b") {
		t.Errorf("%v, printed %q", err, printed)
	}
}
