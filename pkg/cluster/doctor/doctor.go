// Package doctor looks at this machine before zr relies on it: what is there,
// what is not, how to fix it, and fixes it where it can.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"zr/pkg/cluster/engine"
	"zr/pkg/cmdline"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// Status is how a check came out.
type Status string

// The outcomes of a check.
const (
	OK   Status = "ok"
	Warn Status = "warn" // zr works, with what Detail says
	Fail Status = "fail" // zr up would fail
)

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Detail string `json:"detail"`
	// Hint is the command or the sentence that fixes it.
	Hint string `json:"hint,omitempty"`
	// Command is the line of a terminal that fixes it, where there is one.
	Command string `json:"command,omitempty"`
	// Fix does what Hint says. It is nil where zr cannot, or must not.
	Fix func(context.Context, event.Sink) error `json:"-"`
}

// Actionable tells that something is to be done: zr up would fail, or zr can fix it.
func (c Check) Actionable() bool { return c.Status == Fail || c.Status == Warn && c.Fix != nil }

// Port is a port of this machine that a new cluster is to publish.
type Port struct {
	Service string
	Host    int32
}

// Tool is a command that a build needs.
type Tool struct {
	Name string // go, node, npm
	Min  string // lowest version, such as "1.26"; empty for any
	// Unknown says that it may be any program: it is looked for, and not run.
	Unknown bool
}

// Needs say what is wanted of the machine. What is not needed is not checked.
type Needs struct {
	// Lines are the command lines that fixes tell.
	Lines cmdline.Run
	// Engine says that a container engine must run, and Prefer which (see
	// engine.Find).
	Engine bool
	Prefer string
	// Found is the engine where the caller has found it already, which saves
	// asking it twice.
	Found engine.Engine
	// Ports must be free. Leave them out while the cluster that publishes them
	// exists.
	Ports []Port
	// Tools must be on PATH.
	Tools []Tool
	// Watch says that source files are to be watched.
	Watch bool
	// Folders are where zr writes much: the image store, the build caches.
	// The engine's own folder is checked with Engine.
	Folders []string
	// Sources are files of the project, Kubeconfig is zr's for a cluster that
	// exists. A clock that is behind them is wrong.
	Sources    []string
	Kubeconfig string
}

// Run makes all checks that the needs call for, at the same time. They take
// as long as the slowest engine takes to answer, some 0.2 s.
func Run(ctx context.Context, needs Needs) []Check {
	type group func() []Check
	groups := []group{
		func() []Check { return checkEngine(ctx, needs) },
		func() []Check { return checkPorts(needs.Ports) },
		func() []Check { return checkTools(ctx, needs.Tools) },
		func() []Check { return checkDisk(needs.Folders) },
		func() []Check { return checkMemory("/proc/meminfo", needs.Engine) },
		func() []Check { return checkInotify("/proc/sys/fs/inotify", needs.Engine, needs.Watch) },
		func() []Check { return checkClock(needs) },
	}
	results := make([][]Check, len(groups))
	var running sync.WaitGroup
	for i, g := range groups {
		running.Go(func() { results[i] = g() })
	}
	running.Wait()
	var all []Check
	for _, r := range results {
		all = append(all, r...)
	}
	return all
}

// Err returns the fault of every check that failed, in one error, or nil.
func Err(checks []Check) error {
	var errs []error
	hint := ""
	fixable := false
	for _, c := range checks {
		if c.Status == Fail {
			errs = append(errs, fmt.Errorf("%s: %s", c.Name, c.Detail))
			hint = c.Hint
			fixable = fixable || c.Fix != nil
		}
	}
	switch {
	case fixable:
		hint = "zr doctor --fix fixes what it can"
	case len(errs) > 1:
		hint = "zr doctor says what fixes each"
	}
	return fault.Hint(errors.Join(errs...), hint)
}

// Fix fixes every check that is not OK and can be fixed, and returns all
// checks as they are afterwards. What could not be fixed is in the error.
func Fix(ctx context.Context, needs Needs, checks []Check, sink event.Sink) ([]Check, error) {
	var errs []error
	for _, c := range checks {
		if c.Status == OK || c.Fix == nil {
			continue
		}
		sink.Emit(event.Notice{Text: fmt.Sprintf("%s: %s", c.Name, c.Detail), Hint: "fixing it: " + c.Hint})
		if err := c.Fix(ctx, sink); err != nil {
			errs = append(errs, fmt.Errorf("fixing %s: %w", c.Name, err))
		}
		if ctx.Err() != nil {
			return checks, ctx.Err()
		}
	}
	return Run(ctx, needs), errors.Join(errs...)
}

// checkEngine looks for the engine, and at what its machine takes from it.
func checkEngine(ctx context.Context, needs Needs) []Check {
	if !needs.Engine {
		return nil
	}
	e, err := needs.Found, error(nil)
	if e.Zero() {
		e, err = engine.Find(ctx, needs.Prefer)
	}
	if err != nil {
		c := Check{Name: "container engine", Status: Fail, Detail: err.Error(), Hint: fault.HintOf(err)}
		if errors.Is(err, engine.ErrNone) && engine.CanInstall() && (needs.Prefer == "" || needs.Prefer == engine.Podman) {
			c.Hint, c.Fix = engine.InstallCommand(), engine.Install
			c.Command = c.Hint
		}
		return []Check{c}
	}
	found := Check{Name: "container engine", Status: OK, Detail: e.Name + " " + e.Version}
	for _, s := range e.Skipped {
		if s.Reason != engine.NotInstalled {
			found.Detail += fmt.Sprintf(" (%s cannot be used: %s)", s.Name, s.Reason)
		}
	}
	checks := []Check{found}
	if e.Rootless {
		checks = append(checks, Check{Name: "rootless", Status: Warn, Detail: e.Name + " runs without root; kind then needs cgroups of version 2 that are delegated to the user"})
	}
	if e.Host.NoSysResource {
		checks = append(checks, Check{Name: "capabilities", Status: Warn, Detail: "CAP_SYS_RESOURCE is missing; zr gets around it"})
	} else {
		checks = append(checks, Check{Name: "capabilities", Status: OK, Detail: "nothing is missing"})
	}
	if e.Host.CgroupV1 {
		checks = append(checks, Check{Name: "cgroups", Status: Warn, Detail: "version 1 or hybrid; zr gets around it",
			Hint: "boot with systemd.unified_cgroup_hierarchy=1"})
	} else {
		checks = append(checks, Check{Name: "cgroups", Status: OK, Detail: "version 2"})
	}
	if e.Host.Nofile != 0 {
		checks = append(checks, Check{Name: "limits", Status: Warn,
			Detail: fmt.Sprintf("at most %d open files and %d processes in a container; zr gets around it", e.Host.Nofile, e.Host.Nproc)})
	}
	if e.Root != "" {
		checks = append(checks, disk("disk of "+e.Name, e.Root))
	}
	return checks
}
