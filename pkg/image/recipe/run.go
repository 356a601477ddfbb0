package recipe

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// command is a program to run.
type command struct {
	name string
	args []string
	dir  string
	env  []string // on top of this process's environment
	// line gets each line that the program writes, and says whether it is about
	// progress only, which no error has to repeat; may be nil.
	line   func(text string) bool
	mounts bool // it mounts; what it leaves must not outlive it
}

// keptOutput is how many lines of a failed command an error shows: what went
// wrong is said last.
const keptOutput = 25

// run runs a command to its end. The program is told to end when ctx is done,
// and ends with this process, however that ends.
func run(ctx context.Context, c command) error {
	cmd := exec.CommandContext(ctx, c.name, c.args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second // mmdebstrap unmounts and removes what it made
	isolate(cmd, c.mounts)
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	tail := make(chan []string, 1)
	go func() { tail <- readLines(reader, c.line) }()
	err := runTied(cmd)
	writer.Close()
	lines := <-tail
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not installed", c.name)
	}
	if len(lines) == 0 {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return fmt.Errorf("%s: %w:\n%s", c.name, err, strings.Join(lines, "\n"))
}

// readLines hands on each line and returns the last ones that are not about
// progress.
func readLines(r io.Reader, line func(string) bool) []string {
	var last []string
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), 4<<20)
	s.Split(scanLines)
	for s.Scan() {
		text := strings.TrimRight(s.Text(), " ")
		if text == "" || line != nil && line(text) {
			continue
		}
		if last = append(last, text); len(last) > keptOutput {
			last = last[1:]
		}
	}
	_, _ = io.Copy(io.Discard, r) // a line beyond the buffer must not stop the program
	return last
}

// scanLines splits at carriage returns too, which draw progress bars.
func scanLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexAny(data, "\r\n"); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
