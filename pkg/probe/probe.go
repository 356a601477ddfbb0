// Package probe is the readiness probe of a container: what a manifest says of
// it, and how it is asked. It answers as the kubelet would, so that both say
// the same of one process.
package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// The kinds of probes.
const (
	HTTP = "http"
	TCP  = "tcp"
	GRPC = "grpc"
	Exec = "exec"
)

// Probe is what a manifest says. The zero value is no probe.
type Probe struct {
	Kind    string      `json:"kind,omitempty"`    // HTTP, TCP, GRPC, Exec, or empty where there is none
	Scheme  string      `json:"scheme,omitempty"`  // "HTTP" or "HTTPS", of HTTP
	Path    string      `json:"path,omitempty"`    // of HTTP
	Headers http.Header `json:"headers,omitempty"` // of HTTP. Host names another host than the address
	Host    string      `json:"host,omitempty"`    // of HTTP and TCP: what is asked in place of the pod
	Port    int32       `json:"port,omitempty"`    // of HTTP, TCP and GRPC
	Service string      `json:"service,omitempty"` // of GRPC: what the health service is asked for
	Command []string    `json:"command,omitempty"` // of Exec
	// Period is the pause between two questions, Timeout how long one may take.
	Period  time.Duration `json:"period,omitempty"`
	Timeout time.Duration `json:"timeout,omitempty"`
	// Successes and Failures are how many in a row change the verdict.
	Successes int `json:"successes,omitempty"`
	Failures  int `json:"failures,omitempty"`
}

// Options say how a Probe reaches the process.
type Options struct {
	// Host is the address of the pod.
	Host string
	// Run runs a command beside the process and fails if that does. Without
	// it, an Exec probe cannot be asked.
	Run func(ctx context.Context, command []string) error
}

// Asker asks one process. It is safe for concurrent use.
type Asker struct {
	probe  Probe
	opts   Options
	client *http.Client // of HTTP and GRPC
}

// New returns an Asker. The probe must have a kind.
func New(p Probe, o Options) (*Asker, error) {
	a := &Asker{probe: p, opts: o}
	switch p.Kind {
	case HTTP:
		a.client = httpClient()
	case GRPC:
		a.client = grpcClient()
	case TCP:
	case Exec:
		if len(p.Command) == 0 || o.Run == nil {
			return nil, errors.New("an exec probe needs a command")
		}
		return a, nil
	default:
		return nil, fmt.Errorf("unknown kind of probe %q", p.Kind)
	}
	if p.Port < 1 || p.Port > 65535 {
		return nil, fmt.Errorf("a probe of kind %s needs a port", p.Kind)
	}
	return a, nil
}

// Ask asks once and returns nil where the process is ready. The error says what
// it answered. build is what the answer names as its "build", if it is JSON
// that does.
func (a *Asker) Ask(ctx context.Context) (build string, err error) {
	if a.probe.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, a.probe.Timeout, fmt.Errorf("no answer within %s", a.probe.Timeout))
		defer cancel()
	}
	switch a.probe.Kind {
	case HTTP:
		build, err = a.askHTTP(ctx)
	case TCP:
		err = a.askTCP(ctx)
	case GRPC:
		err = a.askGRPC(ctx)
	case Exec:
		err = a.opts.Run(ctx, a.probe.Command)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return build, err
}

func (a *Asker) askTCP(ctx context.Context) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", a.address())
	if err != nil {
		return err
	}
	return c.Close()
}

// address is what is asked over the network.
func (a *Asker) address() string {
	host := a.probe.Host
	if host == "" {
		host = a.opts.Host
	}
	return net.JoinHostPort(host, strconv.Itoa(int(a.probe.Port)))
}

// UserAgent is that of requests which only ask whether a service is there. It
// begins as the kubelet's does, since servers and their loggers know a probe by
// that.
const UserAgent = "kube-probe/zr"
