package render

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Service is a Service that is rendered.
type Service struct {
	Namespace string
	Name      string
	Type      string        // "ClusterIP", "NodePort", "LoadBalancer" or "ExternalName"
	Selects   bool          // it has a selector, by which the cluster finds its pods
	Ports     []ServicePort // of TCP, in the order of the manifest
	LoginKey  string        // the secret that it takes login links by, see LoginKeyAnnotation; or ""
}

// ServicePort is a TCP port of a Service.
type ServicePort struct {
	Name        string // empty where the Service has one port only, and does not name it
	Port        int32
	NodePort    int32 // 0 where there is none, or where the cluster chooses one
	AppProtocol string

	target intstr.IntOrString
}

// Services returns the Services of the manifests, sorted by name. Those that
// AddNodePorts adds are not among them.
func (r *Rendered) Services() []Service {
	var out []Service
	for _, o := range r.Objects {
		var typed corev1.Service
		if !isService(o) || o.GetLabels()[NodePortOfLabel] != "" || decode(o.Unstructured, &typed) != nil {
			continue
		}
		s := Service{Namespace: o.GetNamespace(), Name: o.GetName(), Selects: len(typed.Spec.Selector) > 0, LoginKey: o.GetAnnotations()[LoginKeyAnnotation],
			Type: cmp.Or(string(typed.Spec.Type), string(corev1.ServiceTypeClusterIP))}
		for _, p := range typed.Spec.Ports {
			if p.Protocol != "" && p.Protocol != corev1.ProtocolTCP {
				continue
			}
			port := ServicePort{Name: p.Name, Port: p.Port, NodePort: p.NodePort, target: p.TargetPort}
			if p.AppProtocol != nil {
				port.AppProtocol = *p.AppProtocol
			}
			s.Ports = append(s.Ports, port)
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b Service) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func isService(o *Object) bool { return o.GetKind() == "Service" && o.Kind.Group == "" }

// LeadsTo says whether the pods of a workload are to be behind the Service.
func (s Service) LeadsTo(w Workload) bool {
	return s.Namespace == w.Namespace && slices.Contains(w.Services, s.Name)
}

// Target returns the port of a workload's containers to which the Service
// forwards p, and 0 where none of them declares the name that it says.
func (p ServicePort) Target(w Workload) int32 {
	switch {
	case p.target.Type == intstr.Int && p.target.IntVal == 0:
		return p.Port
	case p.target.Type == intstr.Int:
		return p.target.IntVal
	}
	for _, c := range w.Containers {
		for _, declared := range c.Ports {
			if declared.Name == p.target.StrVal {
				return declared.Number
			}
		}
	}
	return 0
}
