package object

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"zr/pkg/probe"
)

// Probe is how the kubelet asks a container. The server has filled in what the
// manifest left out. One of the four is there.
type Probe struct {
	HTTPGet   *Asked `json:"httpGet"`
	TCPSocket *Asked `json:"tcpSocket"`
	GRPC      *Asked `json:"grpc"`
	Exec      *struct {
		Command []string `json:"command"`
	} `json:"exec"`
	PeriodSeconds    int32 `json:"periodSeconds"`
	TimeoutSeconds   int32 `json:"timeoutSeconds"`
	SuccessThreshold int32 `json:"successThreshold"`
	FailureThreshold int32 `json:"failureThreshold"`
}

// Asked is where a Probe asks, and for what. Each kind has some of the fields.
type Asked struct {
	Host        string   `json:"host"` // empty means the pod
	Port        PortName `json:"port"`
	Path        string   `json:"path"`
	Scheme      string   `json:"scheme"`
	Service     string   `json:"service"`
	HTTPHeaders []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"httpHeaders"`
}

// PortName is a port by its number, or by its name in the container.
type PortName string

// UnmarshalJSON takes a number too.
func (p *PortName) UnmarshalJSON(text []byte) error {
	*p = PortName(strings.Trim(string(text), `"`))
	return nil
}

// AskedPort is the port at the pod's address to which the kubelet connects before it
// calls the container ready; 0 where it connects to none.
func (c Container) AskedPort() int32 {
	asked := c.Question(c.ReadinessProbe)
	if asked.Host != "" {
		return 0
	}
	return asked.Port
}

// Question is what a probe of the container asks. The port is 0 where it has a name that
// no port has, of which the kubelet says so; without a probe it is the zero Probe.
func (c Container) Question(p *Probe) probe.Probe {
	if p == nil {
		return probe.Probe{}
	}
	seconds := func(n, otherwise int32) time.Duration { return time.Duration(cmp.Or(n, otherwise)) * time.Second }
	q := probe.Probe{
		Period: seconds(p.PeriodSeconds, 10), Timeout: seconds(p.TimeoutSeconds, 1),
		Successes: int(cmp.Or(p.SuccessThreshold, 1)), Failures: int(cmp.Or(p.FailureThreshold, 3)),
	}
	switch {
	case p.HTTPGet != nil:
		get := p.HTTPGet
		q.Kind, q.Scheme, q.Path = probe.HTTP, cmp.Or(get.Scheme, "HTTP"), cmp.Or(get.Path, "/")
		for _, h := range get.HTTPHeaders {
			if q.Headers == nil {
				q.Headers = http.Header{}
			}
			q.Headers.Add(h.Name, h.Value)
		}
	case p.TCPSocket != nil:
		q.Kind = probe.TCP
	case p.GRPC != nil:
		q.Kind, q.Service = probe.GRPC, p.GRPC.Service
	case p.Exec != nil:
		q.Kind, q.Command = probe.Exec, p.Exec.Command
	}
	if asked := cmp.Or(p.HTTPGet, p.TCPSocket, p.GRPC); asked != nil {
		q.Host, q.Port = asked.Host, c.port(asked.Port)
	}
	return q
}

// port is the number of a port; 0 for a name that no port has.
func (c Container) port(name PortName) int32 {
	for _, p := range c.Ports {
		if p.Name == string(name) {
			return p.ContainerPort
		}
	}
	number, err := strconv.ParseInt(string(name), 10, 32)
	if err != nil {
		return 0
	}
	return int32(number)
}
