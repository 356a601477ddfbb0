// Package agent is PID 1 of a dev container. It runs the service's process, and takes
// changed files over a connection of its own. It swaps the process for one that is made
// from them. When that does not get healthy, it puts the last good version back.
package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"zr/internal/agent/folder"
	"zr/internal/agent/proc"
	"zr/pkg/agentspec"
	"zr/pkg/agentspec/wire"
	"zr/pkg/probe"
)

// options are what image and pod tell the agent.
type options struct {
	spec    agentspec.Spec
	token   string
	port    int
	probe   probe.Probe
	host    string   // where the probe is asked
	ready   int      // port at host where the kubelet asks, or 0
	build   string   // of the seed
	command []string // of the process
	dir     string   // of the process
	env     []string // of the process
}

// Main runs the agent with the environment of this process until it is told to stop. It
// returns the exit code: that of the service's process, or 2 where the environment
// makes no sense.
func Main() int {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("logger", "zr-agent")
	o, err := optionsOf(os.Args[1:], os.Environ())
	if err == nil {
		var code int
		if code, err = run(o, os.Stdout, os.Stderr, log); err == nil {
			return code
		}
	}
	log.Error("the agent cannot run", "error", err.Error())
	return 2
}

// optionsOf reads the agent's own arguments and its environment.
func optionsOf(args, environ []string) (options, error) {
	o := options{port: agentspec.DefaultPort, host: "127.0.0.1"}
	var errs []error
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		var err error
		switch name {
		case agentspec.EnvSpec:
			o.spec, err = agentspec.Parse(value)
		case agentspec.EnvToken:
			o.token = value
		case agentspec.EnvPort:
			o.port, err = strconv.Atoi(value)
		case agentspec.EnvHost:
			o.host = value
		case agentspec.EnvReadyPort:
			o.ready, err = strconv.Atoi(value)
		case agentspec.EnvProbe:
			err = json.Unmarshal([]byte(value), &o.probe)
		case agentspec.EnvDir:
			o.dir = value
		case agentspec.EnvBuild:
			o.build = value
		default:
			o.env = append(o.env, kv)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("reading %s: %w", name, err))
		}
	}
	if o.token == "" {
		errs = append(errs, fmt.Errorf("%s is not set", agentspec.EnvToken))
	}
	if len(o.spec.Command) == 0 {
		errs = append(errs, fmt.Errorf("%s is not set", agentspec.EnvSpec))
		return o, errors.Join(errs...)
	}
	o.dir = cmp.Or(o.dir, o.spec.Dir)
	var err error
	if o.command, err = o.spec.CommandLine(args); err == nil && strings.Contains(o.command[0], "/") && !filepath.IsAbs(o.command[0]) {
		o.command[0] = filepath.Join(o.dir, o.command[0]) // as a container's first process is looked up
	}
	return o, errors.Join(append(errs, err)...)
}

// mounted says whether the process sees the files that the agent writes: the
// pod mounts the volume as a whole and its files a second time.
func mounted(s agentspec.Spec) error {
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
	health, err := proc.NewHealth(o.probe, probe.Options{Host: o.host, Run: func(ctx context.Context, command []string) error {
		return proc.Run(ctx, reaper, proc.Command{Argv: command, Dir: o.dir, Env: o.env})
	}})
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", agentspec.EnvProbe, err)
	}
	e := &engine{
		command: o.command, dir: o.dir, env: o.env, seedBuild: o.build,
		folder: f, health: health, reaper: reaper, stdout: stdout, stderr: stderr, log: log,
		inbox: newInbox(),
		status: newPublished(wire.Status{
			Boot: rand.Text(), Build: build, Tree: f.Sum(), Phase: wire.Starting,
		}),
		build:     build,
		goodBuild: build,
		healthy:   make(chan *proc.Process, 1),
		verdicts:  make(chan verdict),
	}
	if e.ready, err = answerKubelet(o, e.status); err != nil {
		return 0, err
	}
	defer e.ready.close()
	s := &server{token: o.token, folder: f, inbox: e.inbox, status: e.status, log: log}
	go s.accept(listener)
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
