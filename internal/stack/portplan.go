package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"zr/pkg/cluster/hostport"
	"zr/pkg/cluster/relay"
	"zr/pkg/cluster/statedir"
	"zr/pkg/cmdline"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// planPorts finds a way from ports of this machine to the Services that are
// rendered, on the cluster that is there, and refuses what cannot be before
// anything is applied. It adds to what is rendered what the way takes.
func (p *project) planPorts(ctx context.Context, on *connection) (portPlan, error) {
	if !p.can().HostPorts {
		return portPlan{}, nil
	}
	held, err := on.deployer.HeldPorts(ctx)
	if err != nil {
		return portPlan{}, err
	}
	plan, clashes := newPortPlan(p.ports, on.cluster.Ports, held)
	var problems []error
	for _, c := range clashes {
		problems = append(problems, p.refuse(ctx, on, c))
	}
	problems = append(problems, p.relayable(plan.relayed)...)
	if err := errors.Join(problems...); err != nil {
		return portPlan{}, err
	}
	p.rendered.AddNodePorts(plan.extra)
	return plan, p.keepOwnPorts()
}

// refuse says whose a port is.
func (p *project) refuse(ctx context.Context, on *connection, c portClash) error {
	another := fmt.Sprintf("give %s another port of this machine with `cluster: {ports: {%s: %d}}`", c.port.name, c.port.name, c.port.host+1)
	if c.by != nil {
		return fault.WithCode(fmt.Errorf("%s: port %d of this machine leads to NodePort %d since the cluster was made, which is that of service %q",
			p.cfg.Position("cluster", "ports", c.port.name), c.port.host, c.node, c.by.service.Name), fault.Usage,
			another+fmt.Sprintf(", or %s another nodePort", c.by.service.Name))
	}
	holder := fmt.Sprintf("service %q in namespace %q", c.held.Service, c.held.Namespace)
	if env, err := on.deployer.OwnerOf(ctx, *c.held); err == nil && env != "" {
		holder += fmt.Sprintf(" of environment %q", env)
	}
	if c.host {
		return fault.WithCode(fmt.Errorf("port %d of this machine, which service %q wants, leads to %s on the same cluster", c.port.host, c.port.service.Name, holder),
			fault.Usage, another)
	}
	return fault.WithCode(fmt.Errorf("nodePort %d of service %q is that of %s on the same cluster", c.node, c.port.service.Name, holder),
		fault.Usage, fmt.Sprintf("give %s another nodePort, or none, which lets the cluster choose", c.port.service.Name))
}

// relayable returns a fault for each port at which no relay of this environment
// could listen, since somebody else does.
func (s *Stack) relayable(ports []published) []error {
	if len(ports) == 0 {
		return nil
	}
	path, err := s.relayFile()
	if err != nil {
		return []error{err}
	}
	running, err := relay.Running(path)
	if err != nil {
		return []error{err}
	}
	var problems []error
	for _, p := range ports {
		if running != nil && slices.ContainsFunc(running.Ports, func(r relay.Port) bool { return r.Host == p.host }) {
			continue
		}
		err := hostport.Check(p.host)
		var taken *hostport.Taken
		if !errors.As(err, &taken) {
			continue
		}
		remedy := taken.Owner.Remedy()
		if env := s.relayOf(taken.Owner.PID); env != "" {
			err, remedy = fmt.Errorf("port %d is relayed for environment %q on the same cluster", p.host, env), "take that environment down"
		}
		problems = append(problems, fault.Hint(fmt.Errorf("publishing service %q: %w", p.name, err),
			fmt.Sprintf("%s, or give the service another port of this machine: cluster.ports.%s in the config", remedy, p.name)))
	}
	return problems
}

// relayOf names the environment of this cluster for which a process relays, or
// returns "".
func (s *Stack) relayOf(pid int) string {
	sets, err := statedir.Relays(s.cfg.Cluster.Name)
	if err != nil || pid == 0 {
		return ""
	}
	for _, set := range sets {
		path, err := statedir.Relay(s.cfg.Cluster.Name, set)
		if err != nil {
			return ""
		}
		if running, err := relay.Running(path); err == nil && running != nil && running.PID == pid {
			return set
		}
	}
	return ""
}

func (s *Stack) relayFile() (string, error) { return statedir.Relay(s.cfg.Cluster.Name, s.set()) }

// relayedPorts are the ports to relay, as the plan says, with the NodePorts that the
// cluster has chosen by now.
func (plan portPlan) relayedPorts(ctx context.Context, on *connection) ([]relay.Port, error) {
	held := plan.held
	if slices.ContainsFunc(plan.relayed, func(p published) bool { return nodePortOf(p, held) == 0 }) {
		var err error
		if held, err = on.deployer.HeldPorts(ctx); err != nil { // what the cluster chose since
			return nil, err
		}
	}
	var ports []relay.Port
	for _, p := range plan.relayed {
		if node := nodePortOf(p, held); node != 0 {
			ports = append(ports, relay.Port{Service: p.name, Host: p.host, Node: node})
		}
	}
	return ports, nil
}

// relay has one process relay these ports, and none where there are no such. It
// returns the process that runs, or nil.
func (s *Stack) relay(ctx context.Context, on *connection, ports []relay.Port) (*relay.State, error) {
	path, err := s.relayFile()
	if err != nil {
		return nil, err
	}
	zr, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("starting the relay: finding zr: %w", err)
	}
	running, started, err := relay.Ensure(ctx, path, ports, zr, RelayVerb, s.cfg.Cluster.Name, s.set())
	if started {
		s.sink.Emit(event.Notice{Text: relayNote(running, on.lines)})
	}
	return running, err
}

// watchRelay has the relay of a `zr dev` run again where something ended it.
func (r *reloading) watchRelay(ctx context.Context) error {
	told := ""
	for {
		if pause(ctx, clusterInterval); ctx.Err() != nil {
			return ctx.Err()
		}
		err := r.exclusively(ctx, func(now *current) error {
			if len(now.relayed) == 0 {
				return nil
			}
			_, err := now.project.relay(ctx, r.on, now.relayed)
			return err
		})
		switch {
		case err == nil:
			told = ""
		case ctx.Err() == nil && err.Error() != told:
			told = err.Error()
			r.sink.Emit(event.Notice{Text: told, Hint: fault.HintOf(err)})
		}
	}
}

// relayNote tells of a relay.
func relayNote(r *relay.State, lines cmdline.Run) string {
	what, verb := "port", "is"
	if len(r.Ports) > 1 {
		what, verb = "ports", "are"
	}
	var ports []int32
	for _, p := range r.Ports {
		ports = append(ports, p.Host)
	}
	slices.Sort(ports)
	return fmt.Sprintf("%s %s %s relayed by process %d; `%s` ends it", what, strings.ReplaceAll(strings.Trim(fmt.Sprint(ports), "[]"), " ", ", "), verb, r.PID, lines.Zr("down"))
}

// endRelay ends the relay of this environment, and returns it, or nil where there
// was none.
func (s *Stack) endRelay(ctx context.Context) (*relay.State, error) {
	if !s.can().HostPorts {
		return nil, nil
	}
	path, err := s.relayFile()
	if err != nil {
		return nil, err
	}
	return relay.Stop(ctx, path)
}

// endRelays ends those of all environments on this cluster, for one that is gone
// or about to go.
func (s *Stack) endRelays(ctx context.Context) error {
	sets, err := statedir.Relays(s.cfg.Cluster.Name)
	for _, set := range sets {
		path, pathErr := statedir.Relay(s.cfg.Cluster.Name, set)
		if pathErr == nil {
			_, pathErr = relay.Stop(ctx, path)
		}
		err = errors.Join(err, pathErr)
	}
	return err
}
