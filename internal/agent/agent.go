// Package agent is PID 1 of a dev container: it runs the service's process,
// takes changed files over a connection of its own, swaps the process for one
// that is made from them, and puts the last good version back when that does
// not get healthy.
package agent

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"zr/internal/agent/folder"
	"zr/internal/agent/proc"
	"zr/internal/agent/spec"
	"zr/internal/agent/wire"
)

// options are what the environment tells the agent.
type options struct {
	spec   spec.Spec
	token  string
	port   int
	health *proc.Health
	build  string   // of the seed
	env    []string // for the process
}

// Main runs the agent with the environment of this process until it is told
// to stop, and returns the exit code: that of the service's process, or 2
// where the environment makes no sense.
func Main() int {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("logger", "zr-agent")
	o, err := fromEnv(os.Environ())
	if err == nil {
		var code int
		if code, err = run(o, os.Stdout, os.Stderr, log); err == nil {
			return code
		}
	}
	log.Error("the agent cannot run", "error", err.Error())
	return 2
}

func fromEnv(environ []string) (options, error) {
	o := options{port: spec.DefaultPort}
	var errs []error
	var headers http.Header
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		var err error
		switch name {
		case spec.EnvSpec:
			o.spec, err = spec.Parse(value)
		case spec.EnvToken:
			o.token = value
		case spec.EnvPort:
			if o.port, err = strconv.Atoi(value); err != nil {
				err = fmt.Errorf("reading %s: %w", spec.EnvPort, err)
			}
		case spec.EnvHealth:
			o.health, err = proc.ParseHealth(value)
		case spec.EnvHealthHeaders:
			if err = json.Unmarshal([]byte(value), &headers); err != nil {
				err = fmt.Errorf("reading %s: %w", spec.EnvHealthHeaders, err)
			}
		case spec.EnvBuild:
			o.build = value
		default:
			o.env = append(o.env, kv)
		}
		errs = append(errs, err)
	}
	if o.health == nil {
		o.health, _ = proc.ParseHealth("")
	}
	o.health.Headers = headers
	if o.spec.Kind == "" {
		errs = append(errs, fmt.Errorf("%s is not set", spec.EnvSpec))
	}
	if o.token == "" {
		errs = append(errs, fmt.Errorf("%s is not set", spec.EnvToken))
	}
	return o, errors.Join(errs...)
}

// mounted says whether the process sees the files that the agent writes: the
// pod mounts the volume as a whole and its files a second time.
func mounted(s spec.Spec) error {
	files := filepath.Join(s.Volume, folder.Files)
	written, err := os.Stat(files)
	if err != nil {
		return fmt.Errorf("opening the synced folder: %w", err)
	}
	if seen, err := os.Stat(s.Dir); err != nil || !os.SameFile(written, seen) {
		return fmt.Errorf("%s is not %s: the pod must mount the folder %q of the volume there", s.Dir, files, folder.Files)
	}
	return nil
}

// signalError is why the agent stops.
type signalError struct{ syscall.Signal }

func (s signalError) Error() string { return s.Signal.String() }

func run(o options, stdout, stderr io.Writer, log *slog.Logger) (int, error) {
	f, build, err := folder.Open(o.spec.Volume, o.spec.Seed, o.build)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := mounted(o.spec); err != nil {
		return 0, err
	}
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.port)))
	if err != nil {
		return 0, fmt.Errorf("listening for zr: %w", err)
	}
	defer listener.Close()
	reaper := proc.NewReaper()
	defer reaper.Close()
	e := &engine{
		spec: o.spec, seedBuild: o.build, folder: f, health: o.health, reaper: reaper,
		env: o.env, stdout: stdout, stderr: stderr, log: log,
		inbox: newInbox(),
		status: newBoard(wire.Status{
			Boot: rand.Text(), Kind: string(o.spec.Kind), Build: build, Tree: f.Sum(), Phase: wire.Starting,
		}),
		build:     build,
		goodBuild: build,
		healthy:   make(chan *proc.Process, 1),
	}
	s := &server{token: o.token, folder: f, inbox: e.inbox, status: e.status, log: log}
	go func() { _ = s.accept(listener) }()
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH)
	defer signal.Stop(signals)
	go func() {
		for got := range signals {
			switch got := got.(syscall.Signal); got {
			case syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT:
				listener.Close()
				s.stop()
				stop(signalError{got})
			default:
				if status, _ := e.status.get(); status.Pid != 0 {
					_ = syscall.Kill(-status.Pid, got)
				}
			}
		}
	}()
	return e.run(ctx), nil
}
