package object

// ServiceNameLabel is on an EndpointSlice: the Service that it is of.
const ServiceNameLabel = "kubernetes.io/service-name"

// Service is a Service.
type Service struct {
	Meta `json:"metadata"`
	Spec struct {
		Selector map[string]string `json:"selector"`
		Ports    []ServicePort     `json:"ports"`
	} `json:"spec"`
}

// ServicePort is a port of a Service.
type ServicePort struct {
	Name string `json:"name"`
	Port int32  `json:"port"`
}

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
	Meta      `json:"metadata"`
	Ports     []EndpointPort `json:"ports"`
	Endpoints []Endpoint     `json:"endpoints"`
}

// EndpointPort is a port of the endpoints.
type EndpointPort struct {
	Name *string `json:"name"`
	Port *int32  `json:"port"`
}

// Endpoint is one pod of an EndpointSlice.
type Endpoint struct {
	Conditions struct {
		Ready *bool `json:"ready"` // nil counts as ready, says the API
	} `json:"conditions"`
	TargetRef *struct {
		UID string `json:"uid"`
	} `json:"targetRef"`
}
