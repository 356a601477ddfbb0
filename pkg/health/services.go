package health

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// unreachedReason says which of a target's Services cannot lead to its pods as
// things stand: it is gone, or it selects others.
func (s *snapshot) unreachedReason(t Target, r rollout) *reason {
	if s.withheld[services.name] {
		return nil
	}
	pods := slices.Concat(r.current, r.earlier)
	for _, name := range t.Services {
		why := &reason{cause: unreached, hopeless: true, settle: settleSoon, hint: t.Lines.Zr("diff") + " shows what differs from the manifests"}
		svc := s.services[key{t.Namespace, name}]
		switch {
		case svc == nil:
			why.text = fmt.Sprintf("Service %q is not in namespace %q", name, t.Namespace)
			why.hint = t.Lines.Zr("up") + " applies the manifests"
		case len(svc.Spec.Selector) == 0:
			why.text = fmt.Sprintf("Service %q has no selector, so that it leads to no pod", name)
		case !slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return isReady(p) && selects(svc, p) }):
			why.text = fmt.Sprintf("Service %q selects none of its pods: they lack %s", name, labelsOf(svc.Spec.Selector))
		default:
			continue
		}
		return why
	}
	return nil
}

// unreached says which of a target's Services does not lead to its pods yet, or
// "". The endpoints follow a pod that got ready by some milliseconds.
func (s *snapshot) unreached(t Target, r rollout) string {
	if s.withheld[endpoints.name] {
		return ""
	}
	for _, name := range t.Services {
		of := key{t.Namespace, name}
		var ports []corev1.ServicePort
		if svc := s.services[of]; svc != nil {
			ports = svc.Spec.Ports
		}
		if len(ports) == 0 { // a headless Service may have none
			ports = []corev1.ServicePort{{}}
		}
		for _, port := range ports {
			if slices.ContainsFunc(s.endpoints[of], func(e *discoveryv1.EndpointSlice) bool { return has(e, port) && leadsTo(e, r.serving()) }) {
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
func has(e *discoveryv1.EndpointSlice, port corev1.ServicePort) bool {
	return port.Port == 0 || slices.ContainsFunc(e.Ports, func(p discoveryv1.EndpointPort) bool {
		return p.Port != nil && (p.Name == nil && port.Name == "" || p.Name != nil && *p.Name == port.Name)
	})
}

// leadsTo tells whether a slice has a ready endpoint that is one of the pods.
func leadsTo(e *discoveryv1.EndpointSlice, pods []*corev1.Pod) bool {
	return slices.ContainsFunc(e.Endpoints, func(end discoveryv1.Endpoint) bool {
		ready := end.Conditions.Ready == nil || *end.Conditions.Ready // not known counts as ready, says the API
		return ready && end.TargetRef != nil && slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return p.UID == end.TargetRef.UID })
	})
}

func selects(svc *corev1.Service, p *corev1.Pod) bool {
	for label, value := range svc.Spec.Selector {
		if p.Labels[label] != value {
			return false
		}
	}
	return true
}

// labelsOf writes labels as the Kubernetes API takes them.
func labelsOf(labels map[string]string) string {
	var parts []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, label+"="+labels[label])
	}
	return strings.Join(parts, ",")
}
