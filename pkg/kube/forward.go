package kube

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"zr/pkg/ctxcall"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// Forward is a port-forward to one pod, without a listener on this machine. All
// its connections share one to the API server, which is made when it is first
// needed, and again when it broke. It is safe for concurrent use.
type Forward struct {
	dial func() (httpstream.Connection, error)
	pod  string
	solo bool // the connection to the API server ends with the Stream that it was made for

	// turn holds one token: who has it may dial. The dialer takes no context,
	// so that a caller who leaves must not leave a lock behind.
	turn chan struct{}

	mu     sync.Mutex
	conn   httpstream.Connection
	lastID int
	closed bool
}

// Forward returns the port-forward to a pod. It does no I/O.
func (c *Client) Forward(namespace, pod string) *Forward {
	return &Forward{dial: func() (httpstream.Connection, error) { return c.upgrade(namespace, pod) }, pod: pod, turn: make(chan struct{}, 1)}
}

// Open connects to a port of a pod, as Forward.Open does, over a connection to the
// API server that ends with the Stream.
func (c *Client) Open(ctx context.Context, namespace, pod string, port int32) (*Stream, error) {
	f := c.Forward(namespace, pod)
	f.solo = true
	s, err := f.Open(ctx, port)
	if err != nil {
		f.Close()
	}
	return s, err
}

// upgrade makes a connection of a request to forward ports. SPDY comes first: it
// is two copies per byte cheaper than SPDY inside of WebSocket frames, which gets
// through proxies that do not know it.
func (c *Client) upgrade(namespace, pod string) (httpstream.Connection, error) {
	u := c.URL(lean.PathOf(object.Pods, namespace), pod, "portforward")
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, err
	}
	conn, _, err := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, u).
		Dial(portforward.PortForwardProtocolV1Name)
	if err == nil {
		return conn, nil
	}
	// SPDY has no type of error for what stands between: whether it was the proxy
	// that refused, only another try tells.
	websocket, failed := portforward.NewSPDYOverWebsocketDialerForStreaming(u, c.config)
	if failed != nil {
		return nil, failed
	}
	if conn, _, failed = websocket.Dial(portforward.PortForwardProtocolV1Name); failed != nil {
		return nil, err
	}
	return conn, nil
}

// Close ends all connections. The Forward makes no more.
func (f *Forward) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.drop()
}

// Redial gives the connection to the API server up: the next use makes a new one.
// The streams of a connection share a few workers on the other side, and a server
// that stops to read can hold up the streams of others for good.
func (f *Forward) Redial() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop()
}

func (f *Forward) drop() {
	if f.conn != nil {
		f.conn.Close()
		f.conn = nil
	}
}

// live returns the connection that is open, or nil.
func (f *Forward) live() (httpstream.Connection, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, net.ErrClosed
	}
	if f.conn != nil {
		select {
		case <-f.conn.CloseChan():
			f.conn = nil
		default:
		}
	}
	return f.conn, nil
}

// Connect makes the connection to the API server where there is none, so that
// what is opened next takes two round trips and no more.
func (f *Forward) Connect(ctx context.Context) error {
	_, err := f.connection(ctx)
	return err
}

func (f *Forward) connection(ctx context.Context) (httpstream.Connection, error) {
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	conn, err := f.live()
	if conn != nil || err != nil {
		<-f.turn
		return conn, err
	}
	return ctxcall.Do(ctx, func() (httpstream.Connection, error) {
		defer func() { <-f.turn }()
		conn, err := f.dial()
		if err == nil {
			err = f.keep(conn)
		}
		if err != nil {
			return nil, fmt.Errorf("forwarding to pod %q: %w", f.pod, err)
		}
		return conn, nil
	}, nil) // it is kept for the next
}

func (f *Forward) keep(conn httpstream.Connection) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		conn.Close()
		return net.ErrClosed
	}
	f.conn = conn
	return nil
}

// Open connects to a port of the pod, on the pod's own loopback. That the port
// refuses shows in the first Read, as the protocol answers late.
func (f *Forward) Open(ctx context.Context, port int32) (*Stream, error) {
	conn, err := f.connection(ctx)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.lastID++
	id := f.lastID
	f.mu.Unlock()
	return ctxcall.Do(ctx, func() (*Stream, error) {
		s, err := open(conn, port, id, f.solo)
		if err != nil {
			conn.Close() // dead without having said so: the next call dials
			return nil, fmt.Errorf("forwarding to port %d of pod %q: %w", port, f.pod, err)
		}
		return s, nil
	}, func(s *Stream) { s.Close() })
}

// open makes the pair of streams that stands for one TCP connection.
func open(conn httpstream.Connection, port int32, id int, solo bool) (*Stream, error) {
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(int(port)))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.Itoa(id))
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	failure, err := conn.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	failure.Close() // nothing is ever written to it
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := conn.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	return newStream(conn, data, failure, solo), nil
}

// Dial is Open for who needs deadlines: they cost a copy of each byte.
func (f *Forward) Dial(ctx context.Context, port int32) (net.Conn, error) {
	stream, err := f.Open(ctx, port)
	if err != nil {
		return nil, err
	}
	return newConn(stream), nil
}
