package stack

import (
	"fmt"
	"slices"

	"zr/pkg/cluster/kind"
	"zr/pkg/deploy"
	"zr/pkg/deploy/render"
	"zr/pkg/fault"
)

// published is a port of a Service that has a port of this machine.
type published struct {
	name    string // "web" for its first port, "web/metrics" for the one of that name
	service render.Service
	port    render.ServicePort
	host    int32
	// workloads are those behind the Service, by name. Where none of them need have
	// any pods, idle says so: nobody has to answer.
	workloads []string
	idle      bool
}

// exposed says whether the nodes forward a port for it without zr's doing.
func (p published) exposed() bool {
	return p.service.Type == "NodePort" || p.service.Type == "LoadBalancer"
}

// publishable returns the ports that can have one of this machine, under all of
// their names in the config.
func publishable(services []render.Service) (names []string) {
	for _, s := range services {
		if s.Type == "ExternalName" || len(s.Ports) == 0 {
			continue
		}
		names = append(names, s.Name)
		for _, p := range s.Ports {
			if p.Name != "" {
				names = append(names, s.Name+"/"+p.Name)
			}
		}
	}
	return names
}

// publish says which ports of Services have which of this machine: those of type
// NodePort and LoadBalancer by themselves, others where the config names them.
func publish(services []render.Service, configured map[string]int) []published {
	var out []published
	for _, s := range services {
		if s.Type == "ExternalName" {
			continue
		}
		for i, port := range s.Ports {
			p := published{name: s.Name, service: s, port: port, host: port.Port}
			number, named := configured[s.Name+"/"+port.Name]
			if i == 0 && !named {
				number, named = configured[s.Name]
			}
			if i > 0 {
				p.name += "/" + port.Name
			}
			if named {
				p.host = int32(number)
			}
			if named || p.exposed() {
				out = append(out, p)
			}
		}
	}
	return out
}

// excuse takes that nobody has to answer for workloads that somebody has stopped.
func (p *project) excuse(stopped []string) {
	for i := range p.ports {
		port := &p.ports[i]
		port.idle = port.idle || len(port.workloads) > 0 && !slices.ContainsFunc(port.workloads, func(name string) bool { return !slices.Contains(stopped, name) })
	}
}

// publishPorts finds out which ports of this machine are wanted, and refuses
// those that two want. On a cluster that zr did not make there are none.
func (p *project) publishPorts() ([]published, error) {
	if !p.can().HostPorts {
		return nil, nil
	}
	all := publish(p.rendered.Services(), p.cfg.Cluster.Ports)
	for _, w := range p.rendered.Workloads() {
		for i := range all {
			if port := &all[i]; port.service.LeadsTo(w) {
				port.idle = w.Idle != "" && (port.idle || len(port.workloads) == 0)
				port.workloads = append(port.workloads, w.Name)
			}
		}
	}
	taken := map[int32]string{}
	for i := range all {
		port := &all[i]
		var err error
		if port.host, err = p.hostPort(port.host); err != nil {
			return nil, err
		}
		if other, clash := taken[port.host]; clash {
			return nil, fault.WithCode(fmt.Errorf("%s: %s and %s both want port %d of this machine", p.cfg.Position("cluster", "ports", port.name), other, port.name, port.host),
				fault.Usage, fmt.Sprintf("give one of them another with `cluster: {ports: {%s: %d}}`", port.name, port.host+1))
		}
		taken[port.host] = port.name
		if !port.exposed() && !port.service.Selects {
			return nil, fault.WithCode(fmt.Errorf("%s: Service %q has no selector, so that zr cannot give its pods a port", p.cfg.Position("cluster", "ports", port.name), port.service.Name),
				fault.Usage, "make it one of `type: NodePort` in its manifest")
		}
	}
	return all, nil
}

// reservedFrom is the first NodePort, counted downwards, that is mapped for a
// port whose manifest names none. It lies where the cluster chooses none itself
// while it has others: its choice begins at 30086 (KEP-3668).
const reservedFrom int32 = 30069

// mapping is what kind is to map for these ports when it makes a cluster.
func mapping(all []published) []kind.Port {
	used := map[int32]bool{}
	for _, p := range all {
		used[p.port.NodePort] = true
	}
	var ports []kind.Port
	next := reservedFrom
	for _, p := range all {
		node := p.port.NodePort
		for ; node == 0; next-- {
			if !used[next] {
				node = next
			}
		}
		ports = append(ports, kind.Port{Service: p.name, Host: p.host, Node: node})
	}
	return ports
}

// portPlan says how each published port of this machine leads to its Service.
type portPlan struct {
	// extra are NodePorts that zr adds: where kind mapped the port of this machine
	// to another than the Service has, or where the Service has none.
	extra []render.ExtraPort
	// relayed are the ports that kind did not map when it made the cluster.
	relayed []published
	// held are the NodePorts of the cluster, as far as they are known.
	held []deploy.HeldPort
}

// portClash is a port that is somebody else's already.
type portClash struct {
	port published
	node int32            // the NodePort
	host bool             // it is the one to which kind mapped port.host, not the Service's own
	held *deploy.HeldPort // by a Service that is not this environment's
	by   *published       // or by one that is
}

// newPortPlan finds a way for each port, given how kind mapped ports of this machine
// to NodePorts, and which of these Services of the cluster have.
func newPortPlan(all []published, mapped map[int32]int32, held []deploy.HeldPort) (portPlan, []portClash) {
	plan := portPlan{held: held}
	var clashes []portClash
	for _, p := range all {
		own := p.port.NodePort
		if other := foreign(held, own); other != nil {
			clashes = append(clashes, portClash{port: p, node: own, held: other})
			continue
		}
		node, isMapped := mapped[p.host]
		switch {
		case isMapped && node == own:
		case isMapped:
			clash := portClash{port: p, node: node, host: true, held: foreign(held, node)}
			if i := slices.IndexFunc(all, func(other published) bool { return other.port.NodePort == node }); i >= 0 {
				clash.by = &all[i]
			}
			if clash.held != nil || clash.by != nil {
				clashes = append(clashes, clash)
				continue
			}
			plan.extra = append(plan.extra, render.ExtraPort{Service: p.service.Name, Port: p.port.Port, NodePort: node})
		default:
			plan.relayed = append(plan.relayed, p)
			if !p.exposed() {
				plan.extra = append(plan.extra, render.ExtraPort{Service: p.service.Name, Port: p.port.Port})
			}
		}
	}
	return plan, clashes
}

// foreign returns the Service of another environment that has a NodePort.
func foreign(held []deploy.HeldPort, node int32) *deploy.HeldPort {
	i := slices.IndexFunc(held, func(h deploy.HeldPort) bool { return node != 0 && h.NodePort == node && !h.Own })
	if i < 0 {
		return nil
	}
	return &held[i]
}

// nodePortOf returns the NodePort through which a relayed port is reached: that of
// the manifest, or the one that the cluster chose, and 0 where it chose none yet.
func nodePortOf(p published, held []deploy.HeldPort) int32 {
	if p.port.NodePort != 0 {
		return p.port.NodePort
	}
	for _, h := range held {
		if h.Own && h.Namespace == p.service.Namespace && h.Service == p.service.Name && h.Port == p.port.Port && h.Added != p.exposed() {
			return h.NodePort
		}
	}
	return 0
}
