package stack

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"zr/pkg/cluster/relay"
	"zr/pkg/cmdline"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/health"
)

// Status is how an environment is: its services, and the ports of this machine
// that lead to them.
type Status struct {
	Context   string // of the cluster
	Namespace string
	Services  []health.Status
	Ports     []PortStatus
	Relay     *relay.State // nil where no port is relayed
	RelayNote string       // of the relay, for people
}

// PortStatus is a published port of this machine that was asked once.
type PortStatus struct {
	Name      string   // "web" for the first port of a Service, "web/metrics" for the one of that name
	Address   string   // host:port
	URL       string   // where a user finds it
	Workloads []string // behind it, by name
	Idle      bool     // nobody has to answer
	Err       error    // nil where its Service answered
}

// Status asks each service once, and each port of this machine that leads to one.
// The status comes with an error where something is not healthy or does not
// answer, and is nil where nothing could be asked.
func (s *Stack) Status(ctx context.Context) (*Status, error) {
	p, on, err := s.find(ctx)
	if err != nil {
		return nil, err
	}
	defer on.close()
	services, err := on.gate.Check(ctx, p.targetsOn(ctx, on))
	if err != nil {
		return nil, err
	}
	var stopped []string
	for _, of := range services {
		if of.State == event.Stopped {
			stopped = append(stopped, of.Service)
		}
	}
	p.excuse(stopped)
	ports, portsErr := p.lookAtPorts(ctx, on)
	status := &Status{Context: on.cluster.Context, Namespace: p.rendered.Namespace, Services: services, Relay: ports.relay}
	if ports.relay != nil {
		status.RelayNote = relayNote(ports.relay, on.lines)
	}
	for _, e := range ports.asked {
		status.Ports = append(status.Ports, PortStatus{Name: e.name, Address: e.address(), URL: e.url(), Workloads: e.workloads, Idle: e.idle, Err: e.err})
	}
	return status, cmp.Or(unhealthy(on.lines, services), portsErr, ports.fault(on.lines))
}

// lookAtPorts starts the relay where it is wanted and does not run, as after a
// reboot, and asks every published port.
func (p *project) lookAtPorts(ctx context.Context, on *connection) (portsStatus, error) {
	plan, err := p.planPorts(ctx, on)
	if err != nil || !p.can().HostPorts {
		return portsStatus{}, err
	}
	return p.askPorts(ctx, on, plan)
}

func (p portsStatus) fault(lines cmdline.Run) error {
	var names []string
	for _, e := range p.asked {
		if e.err != nil && !e.idle {
			names = append(names, e.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fault.WithCode(errors.New("no answer at the port of this machine: "+strings.Join(names, ", ")), fault.NotHealthy,
		"`"+lines.Zr("up")+"` makes every port lead to its service; a NetworkPolicy, or a firewall of this machine, may be in the way")
}

// asMeant tells that a service is as its manifest wants it: healthy, or stopped.
func asMeant(s health.Status) bool { return s.State == event.Healthy || s.State == event.Stopped }

// unhealthy is the error of a status with services that are not healthy.
func unhealthy(lines cmdline.Run, statuses []health.Status) error {
	var names, logs []string
	for _, s := range statuses {
		if !asMeant(s) {
			names = append(names, s.Service)
			logs = append(logs, path.Base(s.Service)) // job/web is among those of web
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fault.WithCode(errors.New("not healthy: "+strings.Join(names, ", ")), fault.NotHealthy, "`"+lines.Zr("logs", slices.Compact(logs)...)+"` shows what they say")
}
