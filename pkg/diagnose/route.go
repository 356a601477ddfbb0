package diagnose

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"zr/pkg/kube/object"
)

// Table is where a node leads connections to Services, as kube-proxy has written
// it: from an address and protocol, "10.96.0.7:80/tcp", to the addresses of pods,
// "10.244.0.7:8080", sorted. What leads nowhere is not in it.
type Table map[string][]string

// View is what a node knows of the way to pods.
type View struct {
	Table   Table           // empty where its rules are not known
	Accepts map[string]bool // the addresses of pods at which a connection was accepted
}

// Route is where a port of a Service has to lead by its EndpointSlices, in the
// words of a Table.
type Route struct {
	Service  string
	Address  string
	Backends []string
	// Vouched says that the kubelet connects to each of the backends itself, and
	// would not call their pods ready otherwise.
	Vouched bool
}

// TCP tells whether connections are led, which are accepted or not.
func (r Route) TCP() bool { return strings.HasSuffix(r.Address, "/tcp") }

// RoutesOf returns the routes of a target's Services, as far as all nodes have the
// same. A headless Service has no address. Some Services lead only to pods that are
// near. Where nothing is ready, a node may choose what is about to end.
//
// stale names a Service of which the endpoints still have a pod that is gone or about
// to be, and is "" where none has. What is known of each kind of object may be of
// another moment. Of a Deployment that is complete, each earlier pod is about to be
// gone, although neither it nor the endpoints may say so yet.
func (s *Snapshot) RoutesOf(t Target, r Rollout) (routes []Route, stale string) {
	alive, vouched := map[string]bool{}, map[string]bool{}
	s.Pods(func(p *object.Pod) {
		alive[p.UID] = p.DeletionTimestamp == nil
		for _, c := range p.Spec.Containers {
			vouched[addressOf(p.Status.PodIP, c.AskedPort())] = p.Ready()
		}
	})
	if t.Kind == object.Deployment {
		for _, p := range r.Earlier {
			delete(alive, p.UID)
		}
	}
	for _, name := range t.Services {
		of := serviceKey(t.Namespace, name)
		svc := s.services[of]
		if svc == nil || svc.Labels[object.OtherProxyLabel] != "" || slices.ContainsFunc(s.endpoints[of], hinted) {
			continue
		}
		address, err := netip.ParseAddr(svc.Spec.ClusterIP)
		if err != nil || !address.Is4() || svc.Spec.InternalTrafficPolicy == "Local" {
			continue
		}
		for _, port := range svc.Spec.Ports {
			backends, old := backendsOf(s.endpoints[of], port, alive)
			if old && !svc.Spec.PublishNotReadyAddresses {
				stale = name
			}
			if len(backends) > 0 {
				to := netip.AddrPortFrom(address, uint16(port.Port)).String() + "/" + strings.ToLower(cmp.Or(port.Protocol, "TCP"))
				unvouched := slices.ContainsFunc(backends, func(pod string) bool { return !vouched[pod] })
				routes = append(routes, Route{Service: name, Address: to, Backends: backends, Vouched: !unvouched})
			}
		}
	}
	return routes, stale
}

// hinted tells whether a node leads to some of the endpoints only.
func hinted(e *object.EndpointSlice) bool {
	return slices.ContainsFunc(e.Endpoints, func(end object.Endpoint) bool { return end.Hints != nil })
}

// backendsOf returns the ready endpoints of a port, sorted, and whether one of them
// is no pod that is alive.
func backendsOf(endpoints []*object.EndpointSlice, port object.ServicePort, alive map[string]bool) (backends []string, old bool) {
	for _, e := range endpoints {
		i := slices.IndexFunc(e.Ports, func(p object.EndpointPort) bool { return p.Of(port) })
		if i < 0 || e.AddressType != "IPv4" {
			continue
		}
		for _, end := range e.Endpoints {
			if !end.Ready() || len(end.Addresses) == 0 {
				continue
			}
			backends = append(backends, addressOf(end.Addresses[0], *e.Ports[i].Port))
			old = old || end.TargetRef != nil && !alive[end.TargetRef.UID]
		}
	}
	slices.Sort(backends)
	return slices.Compact(backends), old
}

func addressOf(pod string, port int32) string { return pod + ":" + strconv.Itoa(int(port)) }

// Unvouched are the routes of Services of which the kubelet vouches for none: whether
// somebody serves them, only nodes can find out.
func Unvouched(routes []Route) []Route {
	served := map[string]bool{}
	for _, r := range routes {
		served[r.Service] = served[r.Service] || r.Vouched
	}
	return slices.DeleteFunc(slices.Clone(routes), func(r Route) bool { return served[r.Service] })
}

// Misled says what stands between those who come by way of a Service and its pods, in
// the eyes of the nodes, or "". Each node has to lead to the pods that are ready, and
// to no other. At one port of the Service at least, all of them have to accept
// connections: some manifests name ports that nobody serves.
func Misled(routes []Route, nodes map[string]View) string {
	for _, node := range slices.Sorted(maps.Keys(nodes)) {
		table := nodes[node].Table
		if len(table) == 0 {
			continue
		}
		for _, r := range routes {
			if !slices.Equal(table[r.Address], r.Backends) {
				return fmt.Sprintf("kube-proxy of node %q does not lead Service %q to its pods yet", node, r.Service)
			}
		}
	}
	return refused(routes, nodes)
}

// refused says at which port of its pods a Service finds nobody, or "".
func refused(routes []Route, nodes map[string]View) string {
	silent, served := map[string]string{}, map[string]bool{}
	for _, r := range Unvouched(routes) {
		if !r.TCP() { // nothing tells
			served[r.Service] = true
			continue
		}
		i := slices.IndexFunc(r.Backends, func(pod string) bool { return !accepted(pod, nodes) })
		if i < 0 {
			served[r.Service] = true
		} else if silent[r.Service] == "" {
			silent[r.Service] = fmt.Sprintf("nothing accepts connections at %s, where Service %q leads", r.Backends[i], r.Service)
		}
	}
	for _, service := range slices.Sorted(maps.Keys(silent)) {
		if !served[service] {
			return silent[service]
		}
	}
	return ""
}

func accepted(pod string, nodes map[string]View) bool {
	for _, n := range nodes {
		if n.Accepts[pod] {
			return true
		}
	}
	return false
}
