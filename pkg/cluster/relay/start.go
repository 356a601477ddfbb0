package relay

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// startPatience is how long a process may take until it listens: it does nothing
// before, so that is the time to load a program of 40 MB on a busy machine.
const startPatience = 20 * time.Second

// Ensure makes one process relay these ports, and returns it: the one that runs,
// where it does just that, otherwise a new one in its place. Without ports it ends
// the one that runs, and returns nil. started says that the process is new.
//
// command is the command line of a process that calls Main.
func Ensure(ctx context.Context, path string, ports []Port, command ...string) (s *State, started bool, err error) {
	if len(ports) == 0 {
		_, err := Stop(ctx, path)
		return nil, false, err
	}
	// Another zr may do the same at the same time, and be the first.
	for range 3 {
		if s, err = Running(path); err != nil {
			return nil, false, err
		}
		if s != nil && slices.Equal(s.Ports, ports) {
			return s, started, nil
		}
		if _, err := Stop(ctx, path); err != nil {
			return nil, false, err
		}
		err = start(ctx, ports, command)
		if err != nil && err.Error() != errRunning.Error() {
			break
		}
		started = err == nil
	}
	if err == nil {
		err = errors.New("another zr changes it at the same time")
	}
	return nil, false, fmt.Errorf("starting the relay: %w", err)
}

// start starts the process, in a POSIX session of its own so that no terminal ends it,
// and waits until it listens.
func start(ctx context.Context, ports []Port, command []string) error {
	plan, err := json.Marshal(ports)
	if err != nil {
		return err
	}
	c := exec.Command(command[0], command[1:]...)
	c.Dir = "/" // it keeps no folder from being removed
	c.Stdin = strings.NewReader(string(plan) + "\n")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	said, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	// It outlives this process, which waits for it only so that one which ends
	// before leaves no zombie.
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(said).ReadString('\n')
		line <- strings.TrimSpace(text)
		_ = c.Wait()
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, fmt.Errorf("it does not listen after %s", startPatience))
	defer cancel()
	select {
	case text := <-line:
		switch text {
		case listening:
			return nil
		case "":
			return errors.New("it ended without a word")
		}
		return errors.New(text)
	case <-ctx.Done():
		_ = c.Process.Kill()
		return context.Cause(ctx)
	}
}

// listening is what a process says once it does.
const listening = "listening"

// Main is what a process does that Ensure started: it takes the ports from its
// standard input, says on its standard output that it listens, or why not, and
// relays until ctx ends.
func Main(ctx context.Context, path string, in, out *os.File, dial Dial) error {
	release, r, err := begin(path, in)
	if err != nil {
		said := err
		if errors.Is(err, errRunning) {
			said = errRunning // which Ensure knows by its words
		}
		fmt.Fprintln(out, strings.ReplaceAll(said.Error(), "\n", " "))
		return err
	}
	defer release()
	fmt.Fprintln(out, listening)
	out.Close() // whoever started it need not read on
	r.Serve(ctx, dial)
	return nil
}

func begin(path string, in *os.File) (release func(), r *Relay, err error) {
	var ports []Port
	if err := json.NewDecoder(in).Decode(&ports); err != nil {
		return nil, nil, fmt.Errorf("reading what to relay: %w", err)
	}
	in.Close()
	if release, err = Claim(path, ports); err != nil {
		return nil, nil, err
	}
	if r, err = Listen(ports); err != nil {
		release()
		return nil, nil, err
	}
	return release, r, nil
}
