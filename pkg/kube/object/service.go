package object

// ServiceNameLabel is on an EndpointSlice: the Service that it is of.
const ServiceNameLabel = "kubernetes.io/service-name"

// Service is a Service.
type Service struct {
	Meta `json:"metadata"`
	Spec struct {
		Selector              map[string]string `json:"selector"`
		Ports                 []ServicePort     `json:"ports"`
		ClusterIP             string            `json:"clusterIP"` // "None" or empty where it has no address
		InternalTrafficPolicy string            `json:"internalTrafficPolicy"`
		// PublishNotReadyAddresses counts each pod as ready.
		PublishNotReadyAddresses bool `json:"publishNotReadyAddresses"`
	} `json:"spec"`
}

// ServicePort is a port of a Service.
type ServicePort struct {
	Name     string `json:"name"`
	Port     int32  `json:"port"`
	Protocol string `json:"protocol"` // "TCP", "UDP" or "SCTP"; empty means "TCP"
}

// OtherProxyLabel is on a Service that kube-proxy leaves to another program.
const OtherProxyLabel = "service.kubernetes.io/service-proxy-name"

// Selects tells whether a Service leads to pods with these labels. One without a
// selector leads to none.
func (s *Service) Selects(labels map[string]string) bool {
	for label, value := range s.Spec.Selector {
		if labels[label] != value {
			return false
		}
	}
	return len(s.Spec.Selector) > 0
}

// EndpointSlice is a part of what a Service leads to.
type EndpointSlice struct {
	Meta        `json:"metadata"`
	AddressType string         `json:"addressType"` // "IPv4", "IPv6" or "FQDN"
	Ports       []EndpointPort `json:"ports"`
	Endpoints   []Endpoint     `json:"endpoints"`
}

// EndpointPort is a port of the endpoints.
type EndpointPort struct {
	Name *string `json:"name"`
	Port *int32  `json:"port"`
}

// Of tells whether it is that of a port of the Service.
func (p EndpointPort) Of(port ServicePort) bool {
	return p.Port != nil && (p.Name == nil && port.Name == "" || p.Name != nil && *p.Name == port.Name)
}

// Endpoint is one pod of an EndpointSlice.
type Endpoint struct {
	Addresses  []string `json:"addresses"`
	Conditions struct {
		Ready *bool `json:"ready"`
	} `json:"conditions"`
	TargetRef *struct {
		UID string `json:"uid"`
	} `json:"targetRef"`
	Hints *struct{} `json:"hints"` // for whom it is; nil where it is for all
}

// Ready tells that connections are led to it. Not known counts as ready, says the API.
func (e Endpoint) Ready() bool { return e.Conditions.Ready == nil || *e.Conditions.Ready }
