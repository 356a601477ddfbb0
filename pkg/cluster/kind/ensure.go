package kind

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/cluster/hostport"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// bootTimeout is how long a cluster may take to answer after its containers
// started: some 10 s, or a minute on a machine that does other things.
const bootTimeout = 3 * time.Minute

// pollInterval is how often the API server of a booting cluster is asked. A
// refused connection costs nothing.
const pollInterval = 100 * time.Millisecond

// Ensure finds the cluster, brings it back or makes it.
func (p *provider) Ensure(ctx context.Context, sink event.Sink) (*cluster.Cluster, error) {
	// All is well nearly always, and needs neither the lock nor the engine.
	if f, err := p.ask(ctx); err == nil && f.ready {
		return p.accept(f, sink), nil
	}
	unlock, err := p.lock(ctx, sink)
	if err != nil {
		return nil, p.wrap("locking", err)
	}
	defer unlock()
	// Another zr may have made it while this one waited for the lock.
	if f, err := p.ask(ctx); err == nil && f.ready {
		return p.accept(f, sink), nil
	}

	h, err := p.locate(ctx)
	if err != nil {
		return nil, p.wrap("finding", err)
	}
	if h.foreign() != "" {
		return nil, p.wrap("using", h.foreignFault())
	}
	if err := h.lost(); err != nil {
		return nil, p.wrap("using", err)
	}
	if len(h.nodes) > 0 {
		f, err := p.revive(ctx, h, sink)
		if err == nil {
			return p.accept(f, sink), nil
		}
		if !errors.Is(err, errUnfinished) {
			return nil, p.wrap("starting", err)
		}
		sink.Emit(event.Notice{Text: fmt.Sprintf("cluster %q was left half made; it is made anew", p.opts.Name)})
		if err := p.remove(ctx, h.engine); err != nil {
			return nil, p.wrap("removing half-made", err)
		}
	}
	return p.create(ctx, h.engine, sink)
}

// accept takes an existing cluster, and says how it differs from what is wanted.
// What else it takes to reach a service by a port of this machine is done later.
func (p *provider) accept(f *found, sink event.Sink) *cluster.Cluster {
	for _, note := range p.noteworthy(f.record) {
		sink.Emit(event.Notice{Text: note, Hint: p.opts.Lines.Anew() + " makes it anew, without its data"})
	}
	return f.Cluster
}

// revive brings the containers of a finished cluster to the point where the
// API server answers. It returns errUnfinished for one that never was.
func (p *provider) revive(ctx context.Context, h holding, sink event.Sink) (*found, error) {
	first := p.first(h.engine)
	i := slices.IndexFunc(h.nodes, func(c container) bool { return c.name == first.name })
	if i < 0 {
		return nil, errUnfinished
	}
	text, err := written(ctx, first, h.nodes[i].running)
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, errUnfinished
	}
	stopped, since := h.stopped(), time.Now()
	if len(stopped) > 0 {
		if err := p.start(ctx, h, stopped, sink); err != nil {
			return nil, err
		}
	}
	back := func(f *found) error {
		for _, c := range stopped {
			if f.readySince[c.name].Before(since.Truncate(time.Second)) {
				return fmt.Errorf("node %q is not back yet", c.name)
			}
		}
		return nil
	}
	if err := p.refreshKubeconfig(ctx, h.engine); err != nil {
		return nil, err
	}
	progress(sink, "waiting for the API server")
	f, err := p.await(ctx, back)
	if errors.Is(err, errUnfinished) {
		// The file in the node says that it was; only the annotation is missing.
		if err := p.annotate(ctx, first.name, text); err != nil {
			return nil, err
		}
		f, err = p.await(ctx, back)
	}
	if err != nil && ctx.Err() == nil {
		err = fault.Hint(err, fmt.Sprintf("look at `%s logs %s`; %s restart %s may help; %s makes it anew, without its data",
			h.engine.Name, first.name, h.engine.Name, first.name, p.opts.Lines.Anew()))
	}
	return f, err
}

// start starts the containers that stand still, after a reboot or because
// somebody stopped them.
func (p *provider) start(ctx context.Context, h holding, stopped []container, sink event.Sink) error {
	sink.Emit(event.Notice{Text: fmt.Sprintf("cluster %q was stopped; it is started again", p.opts.Name)})
	var paused, still []string
	for _, c := range stopped {
		if c.paused { // and has its ports
			paused = append(paused, c.name)
			continue
		}
		still = append(still, c.name)
		for _, port := range c.ports {
			if err := p.portFree(port); err != nil {
				return err
			}
		}
	}
	progress(sink, "starting its nodes")
	for verb, names := range map[string][]string{"unpause": paused, "start": still} {
		if len(names) == 0 {
			continue
		}
		if err := h.engine.Run(ctx, nil, nil, append([]string{verb}, names...)...); err != nil {
			return err
		}
	}
	return nil
}

// await asks the API server until all nodes are ready and more, where it is
// given, finds nothing amiss, or until bootTimeout. (For some time after a stop
// the API server remembers nodes as ready that are not.)
func (p *provider) await(ctx context.Context, more func(*found) error) (*found, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, bootTimeout, fmt.Errorf("not ready within %s", bootTimeout))
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	var last error
	for {
		f, err := p.ask(ctx)
		if errors.Is(err, errUnfinished) {
			return nil, err
		}
		if err == nil && !f.ready {
			err = f.notReady()
		}
		if err == nil && more != nil {
			err = more(f)
		}
		if err == nil {
			return f, nil
		}
		if f != nil {
			f.Client.Close()
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if cause := context.Cause(ctx); last == nil || errors.Is(cause, context.Canceled) {
				return nil, cause
			}
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), last)
		}
	}
}

// notReady says which nodes are not.
func (f *found) notReady() error {
	for _, n := range f.Nodes {
		if _, ready := f.readySince[n.Name()]; !ready {
			return fmt.Errorf("node %q is not ready", n.Name())
		}
	}
	return fmt.Errorf("%d of %d nodes have joined", len(f.Nodes), f.record.Nodes)
}

// portsFree returns the fault of every wanted port that cannot be had, at once.
func (p *provider) portsFree() error {
	var errs []error
	for _, port := range p.opts.Ports {
		if err := p.portFree(port.Host); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (p *provider) portFree(port int32) error {
	err := hostport.Check(port)
	var taken *hostport.Taken
	if !errors.As(err, &taken) {
		return nil
	}
	remedy := taken.Owner.Remedy()
	for _, wanted := range p.opts.Ports {
		if wanted.Host == port {
			return fault.Hint(fmt.Errorf("publishing service %q: %w", wanted.Service, err), fmt.Sprintf(
				"%s, or give the service another port of this machine: cluster.ports.%s in the config", remedy, wanted.Service))
		}
	}
	return fault.Hint(err, remedy)
}

// Notices of what a constrained machine calls for, each only where it does.
func workarounds(e engine.Engine) []event.Notice {
	var notices []event.Notice
	note := func(text string, args ...any) {
		notices = append(notices, event.Notice{Text: fmt.Sprintf(text, args...)})
	}
	for _, s := range e.Skipped {
		if s.Reason != engine.NotInstalled {
			note("%s is used, since %s cannot be: %s", e.Name, s.Name, s.Reason)
		}
	}
	if e.Host.NoSysResource {
		note("this machine lacks CAP_SYS_RESOURCE: the kubelet runs as in a user namespace, containers keep their OOM scores")
	}
	if e.Host.Nofile != 0 {
		note("this machine limits open files to %d and processes to %d: the nodes are given no more", e.Host.Nofile, e.Host.Nproc)
	}
	if e.Host.CgroupV1 {
		text := "this machine has cgroups of version 1, which the kubelet is told to accept"
		if e.Name == engine.Podman {
			text += " (podman uses runc for them)"
		}
		note("%s", text)
	}
	return notices
}

// progress reports what is being done with a cluster, in no particular number
// of steps.
func progress(sink event.Sink, detail string, args ...any) {
	sink.Emit(event.StepProgress{Step: cluster.Step, Detail: strings.TrimSpace(fmt.Sprintf(detail, args...))})
}
