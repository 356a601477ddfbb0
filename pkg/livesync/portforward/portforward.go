// Package portforward reaches the agent of a pod through the Kubernetes API:
// the same way for a cluster on this machine and for a remote one, without a
// listener on this machine and without the pod's network being open to it.
package portforward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"zr/pkg/livesync"
)

// Target names the container to reach.
type Target struct {
	Namespace string
	// Selector finds the workload's pods; the newest one that runs is taken,
	// anew for every connection. Pod takes a fixed pod instead.
	Selector string
	Pod      string
	// Container must run; empty means every container.
	Container string
	// Port is that of the agent.
	Port int
}

// Dialer is a livesync.Dialer. It is safe for concurrent use.
type Dialer struct {
	target Target
	config *rest.Config
	core   rest.Interface
	params runtime.ParameterCodec
}

// New returns a dialer for a target. It does not connect.
func New(config *rest.Config, t Target) (*Dialer, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // one request per attempt to connect
	config.WarningHandler = rest.NoWarnings{}
	config.Timeout = 0
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("preparing a port-forward: %w", err)
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	rc := rest.CopyConfig(config)
	rc.APIPath = "/api"
	rc.GroupVersion = &corev1.SchemeGroupVersion
	rc.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	core, err := rest.RESTClientFor(rc)
	if err != nil {
		return nil, fmt.Errorf("preparing a port-forward: %w", err)
	}
	return &Dialer{target: t, config: config, core: core, params: runtime.NewParameterCodec(scheme)}, nil
}

// Dial finds the pod and opens a connection to the port on its loopback.
func (d *Dialer) Dial(ctx context.Context) (livesync.Stream, error) {
	pod, err := d.find(ctx)
	if err != nil {
		return livesync.Stream{}, err
	}
	type opened struct {
		stream io.ReadWriteCloser
		err    error
	}
	done := make(chan opened, 1)
	go func() { // client-go's dialer takes no context
		s, err := d.open(pod)
		done <- opened{s, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return livesync.Stream{}, fmt.Errorf("forwarding to pod %q: %w", pod, o.err)
		}
		return livesync.Stream{ReadWriteCloser: o.stream, Peer: pod}, nil
	case <-ctx.Done():
		go func() {
			if o := <-done; o.err == nil {
				o.stream.Close()
			}
		}()
		return livesync.Stream{}, context.Cause(ctx)
	}
}

// find returns the pod to speak with: the newest of which the container runs.
func (d *Dialer) find(ctx context.Context) (string, error) {
	if d.target.Pod != "" {
		return d.target.Pod, nil
	}
	var pods corev1.PodList
	err := d.core.Get().Namespace(d.target.Namespace).Resource("pods").
		VersionedParams(&metav1.ListOptions{LabelSelector: d.target.Selector}, d.params).
		Do(ctx).Into(&pods)
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return "", fmt.Errorf("%w: %w", livesync.ErrRefused, err)
	}
	if err != nil {
		return "", fmt.Errorf("looking for the pod: %w", err)
	}
	var newest *corev1.Pod
	for i := range pods.Items {
		p := &pods.Items[i]
		if p.DeletionTimestamp == nil && d.runs(p) &&
			(newest == nil || newest.CreationTimestamp.Before(&p.CreationTimestamp)) {
			newest = p
		}
	}
	if newest == nil {
		return "", fmt.Errorf("looking for the pod: none with %s runs in namespace %q", d.target.Selector, d.target.Namespace)
	}
	return newest.Name, nil
}

func (d *Dialer) runs(p *corev1.Pod) bool {
	n := 0
	for _, c := range p.Status.ContainerStatuses {
		if d.target.Container != "" && c.Name != d.target.Container {
			continue
		}
		if c.State.Running == nil {
			return false
		}
		n++
	}
	return n > 0
}

// open upgrades a request to streams. SPDY comes first: it is two copies per
// byte cheaper than SPDY inside of WebSocket frames, which gets through
// proxies that do not know it.
func (d *Dialer) open(pod string) (io.ReadWriteCloser, error) {
	url := d.core.Post().Namespace(d.target.Namespace).Resource("pods").Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(d.config)
	if err != nil {
		return nil, err
	}
	conn, _, err := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, url).
		Dial(portforward.PortForwardProtocolV1Name)
	if err != nil {
		// SPDY has no type of error for what stands between: whether it was the
		// proxy that refused, only another try tells.
		tunnel, failed := portforward.NewSPDYOverWebsocketDialerForStreaming(url, d.config)
		if failed != nil {
			return nil, failed
		}
		if conn, _, failed = tunnel.Dial(portforward.PortForwardProtocolV1Name); failed != nil {
			return nil, err
		}
	}
	s, err := connect(conn, d.target.Port)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

// connect opens the pair of streams that stands for one TCP connection.
func connect(conn httpstream.Connection, port int) (*stream, error) {
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, "0") // the only one of this connection
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	failure, err := conn.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	failure.Close() // this side never writes to it
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := conn.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	s := &stream{Stream: data, conn: conn, failed: make(chan struct{})}
	go s.watch(failure)
	return s, nil
}

// stream is one forwarded TCP connection with the tunnel that carries it.
type stream struct {
	httpstream.Stream
	conn   httpstream.Connection
	failed chan struct{} // closed when err is known
	err    error
	once   sync.Once
}

// watch reads what the kubelet says of a connection that failed.
func (s *stream) watch(failure io.Reader) {
	defer close(s.failed)
	msg, err := io.ReadAll(io.LimitReader(failure, 8<<10))
	switch text := strings.TrimSpace(string(msg)); {
	case strings.Contains(text, "connection refused"):
		s.err = errors.New("the agent does not listen yet")
	case text != "":
		s.err = errors.New(text)
	case err != nil:
		s.err = err
	}
	if s.err != nil {
		s.Close()
	}
}

// Read tells the kubelet's reason in place of a bare end of file.
func (s *stream) Read(b []byte) (int, error) {
	n, err := s.Stream.Read(b)
	if err == nil {
		return n, nil
	}
	s.Close() // ends watch where the kubelet said nothing
	<-s.failed
	if s.err != nil {
		err = s.err
	}
	return n, err
}

// Close ends the connection and the tunnel.
func (s *stream) Close() error {
	s.once.Do(func() { s.conn.Close() })
	return nil
}
