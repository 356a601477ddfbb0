package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"zr/pkg/kube/object"
)

// unreachedReason says which of a target's Services cannot lead to its pods as
// things stand: it is gone, or it selects others.
func (s *Snapshot) unreachedReason(t Target, r Rollout) *Reason {
	if s.Withheld[object.Services.Name] {
		return nil
	}
	pods := slices.Concat(r.Current, r.Earlier)
	for _, name := range t.Services {
		why := &Reason{Cause: Unreached, Hopeless: true, Grace: graceShort, Hint: t.Lines.Zr("diff") + " shows what differs from the manifests"}
		svc := s.services[serviceKey(t.Namespace, name)]
		switch {
		case svc == nil:
			why.Text = fmt.Sprintf("Service %q is not in namespace %q", name, t.Namespace)
			why.Hint = t.Lines.Zr("up") + " applies the manifests"
		case len(svc.Spec.Selector) == 0:
			why.Text = fmt.Sprintf("Service %q has no selector, so that it leads to no pod", name)
		case !slices.ContainsFunc(pods, func(p *object.Pod) bool { return p.Ready() && svc.Selects(p.Labels) }):
			why.Text = fmt.Sprintf("Service %q selects none of its pods: they lack %s", name, labelsOf(svc.Spec.Selector))
		default:
			continue
		}
		return why
	}
	return nil
}

// unreached says which of a target's Services does not lead to its pods yet, or
// "". The endpoints follow a pod that got ready by some milliseconds.
func (s *Snapshot) unreached(t Target, r Rollout) string {
	if s.Withheld[object.EndpointSlices.Name] {
		return ""
	}
	for _, name := range t.Services {
		of := serviceKey(t.Namespace, name)
		ports := s.PortsOf(t.Namespace, name)
		if len(ports) == 0 { // a headless Service may have none
			ports = []object.ServicePort{{}}
		}
		for _, port := range ports {
			if slices.ContainsFunc(s.endpoints[of], func(e *object.EndpointSlice) bool { return has(e, port) && leadsTo(e, r.serving()) }) {
				continue
			}
			if port.Name == "" {
				return fmt.Sprintf("Service %q has no endpoint that is one of its pods", name)
			}
			return fmt.Sprintf("port %q of Service %q has no endpoint that is one of its pods", port.Name, name)
		}
	}
	return ""
}

// has tells whether a slice is about a port of its Service. It is not about one
// whose name in the pods no container has.
func has(e *object.EndpointSlice, port object.ServicePort) bool {
	return port.Port == 0 || slices.ContainsFunc(e.Ports, func(p object.EndpointPort) bool { return p.Of(port) })
}

// leadsTo tells whether a slice has a ready endpoint that is one of the pods.
func leadsTo(e *object.EndpointSlice, pods []*object.Pod) bool {
	return slices.ContainsFunc(e.Endpoints, func(end object.Endpoint) bool {
		return end.Ready() && end.TargetRef != nil && slices.ContainsFunc(pods, func(p *object.Pod) bool { return p.UID == end.TargetRef.UID })
	})
}

// labelsOf writes labels as the Kubernetes API takes them.
func labelsOf(labels map[string]string) string {
	var parts []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, label+"="+labels[label])
	}
	return strings.Join(parts, ",")
}

// ServicesFor returns the names of the Services in a namespace that select pods
// with these labels, sorted.
func (s *Snapshot) ServicesFor(namespace string, labels map[string]string) []string {
	var names []string
	for of, svc := range s.services {
		if of.namespace == namespace && svc.Selects(labels) {
			names = append(names, svc.Name)
		}
	}
	slices.Sort(names)
	return names
}

// PortsOf returns the ports of a Service, none where it is not there.
func (s *Snapshot) PortsOf(namespace, name string) []object.ServicePort {
	if svc := s.services[serviceKey(namespace, name)]; svc != nil {
		return svc.Spec.Ports
	}
	return nil
}
