package proc

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	var lines []string
	command := Command{Args: []string{"sh", "-c", "echo words; echo noise >&2; printf end"}, Line: func(l string) { lines = append(lines, l) }}
	out, err := command.Run(t.Context())
	if err != nil || string(out) != "words\nend" {
		t.Errorf("Run = %q, %v", out, err)
	}
	if len(lines) != 2 {
		t.Errorf("lines %q, want the two whole ones", lines)
	}
}

func TestRunFails(t *testing.T) {
	_, err := Command{Args: []string{"sh", "-c", "echo one; echo two >&2; exit 3"}}.Run(t.Context())
	var failed *Error
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "exit status 3: ") ||
		!strings.Contains(failed.Output, "one") || !strings.Contains(failed.Output, "two") {
		t.Errorf("err = %v", err)
	}
	if _, err := (Command{Args: []string{"zr-no-such-program"}}).Run(t.Context()); err == nil {
		t.Error("a program that is not there ran")
	}
}

func TestName(t *testing.T) {
	c := Command{Args: []string{"go", "build", "-o", "x", "-ldflags=-s -w", "./cmd/api"}}
	if got := c.name(); got != "go build ./cmd/api" {
		t.Errorf("name = %q", got)
	}
}

// TestCancelEndsTheGroup: a grandchild that ignores signals dies with it.
func TestCancelEndsTheGroup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		script := `trap '' INT; (trap '' INT; echo $$ >` + file + `.tmp; sh -c 'trap "" INT; echo $$ >` + file + `; sleep 60') & wait; sleep 60`
		_, err := Command{Args: []string{"sh", "-c", script}}.Run(ctx)
		done <- err
	}()
	var pid int
	for pid == 0 {
		if raw, err := os.ReadFile(file); err == nil {
			pid, _ = strconv.Atoi(strings.TrimSpace(string(raw)))
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want a cancelled context", err)
	}
	for syscall.Kill(pid, 0) == nil && !zombie(pid) {
		time.Sleep(time.Millisecond) // ends with the test's own deadline if it never dies
	}
}

// zombie reports whether a process is dead but not yet reaped by init.
func zombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// TestLeftRunning: a command that ended well is done, whatever it left behind.
func TestLeftRunning(t *testing.T) {
	out, err := Command{Args: []string{"sh", "-c", "sleep 300 & echo $!"}}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	for syscall.Kill(pid, 0) == nil && !zombie(pid) {
		time.Sleep(time.Millisecond)
	}
}
