// Package probe has the kinds of probes. It asks those that a manifest can have as the
// kubelet would. So the kubelet, the agent and the gate say the same of one process.
package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
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

// String says what is asked, without the address of a pod: "GET :8080/health".
func (p Probe) String() string {
	where := fmt.Sprintf("%s:%d", p.Host, p.Port)
	switch p.Kind {
	case HTTP:
		if p.Scheme == "HTTPS" {
			where = "https://" + where
		}
		return "GET " + where + "/" + strings.TrimPrefix(p.Path, "/")
	case TCP:
		return "TCP " + where
	case GRPC:
		return strings.TrimSpace("gRPC health " + where + " " + p.Service)
	case Exec:
		return "exec " + strings.Join(p.Command, " ")
	}
	return ""
}

// Options say how a Probe reaches the process.
type Options struct {
	// Host is the address of the pod.
	Host string
	// Dial connects to a port of the pod. Default: over the network.
	Dial func(ctx context.Context, port int32) (net.Conn, error)
	// Forwarded says that Dial returns before it is known whether the port
	// accepts, as through a port-forward: a refusal is an error of the first Read.
	Forwarded bool
	// Run runs a command beside the process and fails if that does. Without
	// it, an Exec probe cannot be asked.
	Run func(ctx context.Context, command []string) error
}

// Answer is what a process said that is ready, and as much as is known of one
// that is not.
type Answer struct {
	Text  string // such as "200 OK"
	Build string // what the answer names as its "build", if it is JSON that does
}

// Unready is the error of a server that answered and is not ready: its own words,
// such as "503 Service Unavailable: no database". Other errors say why there was
// no answer.
type Unready string

func (u Unready) Error() string { return string(u) }

// Asker asks one process. It is safe for concurrent use.
type Asker struct {
	probe  Probe
	opts   Options
	client *http.Client // of HTTP and GRPC
}

// New returns an Asker. The probe must have a kind that manifests have.
func New(p Probe, o Options) (*Asker, error) {
	a := &Asker{probe: p, opts: o}
	switch p.Kind {
	case HTTP:
		a.client = a.httpClient()
	case GRPC:
		a.client = a.grpcClient()
	case TCP:
	case Exec:
		if len(p.Command) == 0 || o.Run == nil {
			return nil, errors.New("an exec probe needs a command")
		}
	default:
		return nil, fmt.Errorf("unknown kind of probe %q", p.Kind)
	}
	if Of(p.Kind).Port && (p.Port < 1 || p.Port > 65535) {
		return nil, fmt.Errorf("a probe of kind %s needs a port", p.Kind)
	}
	return a, nil
}

// String says what is asked: "GET http://10.0.0.7:80/health".
func (a *Asker) String() string {
	switch a.probe.Kind {
	case HTTP:
		return "GET " + a.url().String()
	case GRPC:
		return "gRPC health of " + a.address()
	case TCP:
		return "TCP " + a.address()
	}
	return "exec " + strings.Join(a.probe.Command, " ")
}

// Ask asks once. The error is nil where the process is ready.
func (a *Asker) Ask(ctx context.Context) (answer Answer, err error) {
	if a.probe.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, a.probe.Timeout, fmt.Errorf("no answer within %s", a.probe.Timeout))
		defer cancel()
	}
	switch a.probe.Kind {
	case HTTP:
		answer, err = a.askHTTP(ctx)
	case TCP:
		answer, err = a.askTCP(ctx)
	case GRPC:
		answer, err = a.askGRPC(ctx)
	case Exec:
		err = a.opts.Run(ctx, a.probe.Command)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return answer, err
}

// askTCP connects.
func (a *Asker) askTCP(ctx context.Context) (Answer, error) {
	began := time.Now()
	c, err := a.dial(ctx, "tcp", a.address())
	if err != nil {
		return Answer{}, bare(err)
	}
	defer c.Close()
	if a.opts.Forwarded {
		// Opening takes two round trips to the kubelet, a refusal one and what the
		// node needs to connect to itself.
		err = refusal(ctx, c, 20*time.Millisecond+3*time.Since(began))
	}
	return Answer{Text: "accepts connections"}, err
}

// refusal returns the one that comes within a time. That a forwarded port accepts is
// known when none did, or when the server speaks first.
func refusal(ctx context.Context, c net.Conn, within time.Duration) error {
	deadline := time.Now().Add(within)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := c.SetReadDeadline(deadline); err != nil {
		return err
	}
	_, err := c.Read(make([]byte, 1))
	var timeout net.Error
	if errors.Is(err, io.EOF) || errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	return err
}

// dial connects to an address of the process.
func (a *Asker) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if a.opts.Dial == nil {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}
	_, port, err := net.SplitHostPort(address) // a redirect may lead to another one
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	return a.opts.Dial(ctx, int32(number))
}

// bare takes the address off an error: who asked knows it.
func bare(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	var network *net.OpError
	if errors.As(err, &network) {
		err = network.Err
	}
	return err
}

// address is what is asked over the network.
func (a *Asker) address() string {
	host := cmp.Or(a.probe.Host, a.opts.Host, "localhost")
	return net.JoinHostPort(host, strconv.Itoa(int(a.probe.Port)))
}

// UserAgent is that of requests which only ask whether a service is there. It
// begins as the kubelet's does, since servers and their loggers know a probe by
// that.
const UserAgent = "kube-probe/zr"
