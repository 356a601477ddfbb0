package proc

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

func TestRun(t *testing.T) {
	var lines []string
	command := Command{Args: []string{"sh", "-c", "echo words; echo noise >&2; printf end"}, Line: func(l string) { lines = append(lines, l) }}
	if err := command.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if len(lines) != 2 {
		t.Errorf("lines %q, want the two whole ones", lines)
	}
}

func TestRunFails(t *testing.T) {
	err := Command{Args: []string{"sh", "-c", "echo one; echo two >&2; exit 3"}}.Run(t.Context())
	var failed *Error
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "exit status 3: ") ||
		!strings.Contains(failed.Words, "one") || !strings.Contains(failed.Words, "two") {
		t.Errorf("err = %v", err)
	}
	if err := (Command{Args: []string{"zr-no-such-program"}}).Run(t.Context()); err == nil {
		t.Error("a program that is not there ran")
	}
}

// TestDataIsNotSaid: what a command writes for programs is in no error, however
// much that is.
func TestDataIsNotSaid(t *testing.T) {
	said := func(script string) ([]byte, error) {
		var lines []string
		out, err := Command{Args: []string{"sh", "-c", script}, Name: "tool", Line: func(l string) { lines = append(lines, l) }}.Output(t.Context())
		if !slices.Equal(lines, []string{"a word"}) {
			t.Errorf("told the lines %q", lines)
		}
		return out, err
	}
	if out, err := said("echo data; echo a word >&2"); string(out) != "data\n" || err != nil {
		t.Errorf("Output = %q, %v", out, err)
	}
	_, err := said("yes '{\"Data\": 1}' | head -n 4000; echo a word >&2; exit 1")
	if err == nil || err.Error() != "tool: exit status 1: a word" {
		t.Errorf("err = %v", err)
	}
}

// TestWordsAreBounded: an error has lines and bytes that somebody reads, the
// first and the last of them, whatever a tool writes.
func TestWordsAreBounded(t *testing.T) {
	for name, script := range map[string]string{
		"many lines":     "seq 1 1000000; echo the reason; exit 1",
		"an endless one": "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo the reason; exit 1",
	} {
		err := Command{Args: []string{"sh", "-c", script}}.Run(t.Context())
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		text := err.Error()
		if n := strings.Count(text, "\n"); n > firstLines+lastLines || len(text) > (firstLines+lastLines+1)*(longLine+3)+100 {
			t.Errorf("%s: %d lines, %d bytes", name, n, len(text))
		}
		if !strings.HasSuffix(text, "the reason") {
			t.Errorf("%s: the end is not there: %q", name, text[len(text)-50:])
		}
	}
	lines := strings.Split(forPeople(strings.Repeat("x\n", 99)+"é"+strings.Repeat("é", longLine)), "\n")
	if len(lines) != firstLines+1+lastLines || lines[firstLines] != "… 50 lines are left out …" {
		t.Errorf("%d lines, with %q", len(lines), lines[firstLines])
	}
	if last := lines[len(lines)-1]; !utf8.ValidString(last) || len(last) > longLine+len("…") {
		t.Errorf("the long line is %q", last)
	}
	if short := strings.Repeat("x\n", firstLines+lastLines); forPeople(short) != short {
		t.Error("one line was replaced by a line that says so")
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
		done <- Command{Args: []string{"sh", "-c", script}}.Run(ctx)
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

// TestEndsWithThisProcess: what a killed process had started ends with it, also
// where that ignores signals and waits for something that never comes.
func TestEndsWithThisProcess(t *testing.T) {
	const variable = "ZR_TEST_PROC_FILE"
	if file := os.Getenv(variable); file != "" {
		_ = Command{Args: []string{"sh", "-c", "trap '' INT TERM; echo $$ >" + file + ".tmp; mv " + file + ".tmp " + file + "; while :; do sleep 60; done"}}.Run(t.Context())
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties processes to each other")
	}
	file := filepath.Join(t.TempDir(), "pid")
	parent := exec.Command(os.Args[0], "-test.run=^TestEndsWithThisProcess$")
	parent.Env = append(os.Environ(), variable+"="+file)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	for pid == 0 {
		if raw, err := os.ReadFile(file); err == nil {
			pid, _ = strconv.Atoi(strings.TrimSpace(string(raw)))
		}
		time.Sleep(time.Millisecond)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
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
	out, err := Command{Args: []string{"sh", "-c", "sleep 300 & echo $!"}}.Output(t.Context())
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
