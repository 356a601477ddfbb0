package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/streaming/pkg/httpstream"
)

// tunnel is a port-forward to one pod over one connection that stays open and
// is dialled again when it broke. It makes net.Conns without a listener on
// this machine.
type tunnel struct {
	dial func() (httpstream.Connection, error)
	pod  string

	// turn holds one token: who has it may dial. The dialer takes no context,
	// so that a caller who leaves must not leave a lock behind.
	turn chan struct{}

	mu     sync.Mutex
	conn   httpstream.Connection
	lastID int
	closed bool
}

func newTunnel(dial func() (httpstream.Connection, error), pod string) *tunnel {
	return &tunnel{dial: dial, pod: pod, turn: make(chan struct{}, 1)}
}

func (t *tunnel) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.conn != nil {
		t.conn.Close()
		t.conn = nil
	}
}

// redial gives the connection up: the next use makes a new one. The streams
// of a connection share a few workers on the other side, and a server that
// stops to read can hold up the streams of others for good.
func (t *tunnel) redial() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn != nil {
		t.conn.Close()
		t.conn = nil
	}
}

// live returns the connection that is open, or nil.
func (t *tunnel) live() (httpstream.Connection, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, net.ErrClosed
	}
	if t.conn != nil {
		select {
		case <-t.conn.CloseChan():
			t.conn = nil
		default:
		}
	}
	return t.conn, nil
}

// connection returns the open connection, dialling where there is none.
func (t *tunnel) connection(ctx context.Context) (httpstream.Connection, error) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	conn, err := t.live()
	if conn != nil || err != nil {
		<-t.turn
		return conn, err
	}
	type dialled struct {
		conn httpstream.Connection
		err  error
	}
	done := make(chan dialled, 1)
	go func() {
		defer func() { <-t.turn }()
		conn, err := t.dial()
		if err == nil {
			err = t.keep(conn)
		}
		done <- dialled{conn, err}
	}()
	select {
	case d := <-done:
		if d.err != nil {
			return nil, fmt.Errorf("forwarding to pod %q: %w", t.pod, d.err)
		}
		return d.conn, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (t *tunnel) keep(conn httpstream.Connection) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		conn.Close()
		return net.ErrClosed
	}
	t.conn = conn
	return nil
}

// open connects to a port of the pod, on the pod's own loopback. That the
// port refuses shows in the first Read, as the protocol answers late.
func (t *tunnel) open(ctx context.Context, port int32) (net.Conn, error) {
	conn, err := t.connection(ctx)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.lastID++
	id := t.lastID
	t.mu.Unlock()

	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(int(port)))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.Itoa(id))
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	failure, err := conn.CreateStream(headers)
	if err != nil {
		conn.Close() // dead without having said so: the next call dials
		return nil, fmt.Errorf("forwarding to port %d of pod %q: %w", port, t.pod, err)
	}
	failure.Close() // nothing is ever written to it
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := conn.CreateStream(headers)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("forwarding to port %d of pod %q: %w", port, t.pod, err)
	}
	return newStreamConn(conn, data, failure), nil
}

// streamConn makes a net.Conn of the two streams of a forwarded port. The
// pipe gives it deadlines, which streams lack and pgx and go-redis rely on.
type streamConn struct {
	net.Conn // this side of the pipe
	streams  httpstream.Connection
	data     httpstream.Stream
	once     sync.Once
	failed   chan struct{} // closed when err is known
	err      error
}

func newStreamConn(streams httpstream.Connection, data, failure httpstream.Stream) *streamConn {
	near, far := net.Pipe()
	c := &streamConn{Conn: near, streams: streams, data: data, failed: make(chan struct{})}
	go func() {
		defer close(c.failed)
		msg, err := io.ReadAll(io.LimitReader(failure, 8<<10))
		streams.RemoveStreams(failure)
		switch {
		case len(msg) > 0:
			c.err = forwardFailure(string(msg))
			far.Close() // there will be no data
		case err != nil:
			c.err = err
		}
	}()
	go func() {
		_, _ = io.Copy(far, data) // what went wrong is told by the other stream
		far.Close()
	}()
	go func() {
		_, _ = io.Copy(data, far)
		data.Close()
	}()
	return c
}

// Read tells the failure of the forwarding where there was one, instead of a
// bare end of file. So do the others: who speaks first hears of it there.
func (c *streamConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, c.failure(err)
}

func (c *streamConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, c.failure(err)
}

func (c *streamConn) SetDeadline(at time.Time) error { return c.failure(c.Conn.SetDeadline(at)) }
func (c *streamConn) SetReadDeadline(at time.Time) error {
	return c.failure(c.Conn.SetReadDeadline(at))
}
func (c *streamConn) SetWriteDeadline(at time.Time) error {
	return c.failure(c.Conn.SetWriteDeadline(at))
}

// failure returns why the forwarding failed, or else what was seen of it. The
// runtime ends both streams together, but they may arrive apart.
func (c *streamConn) failure(seen error) error {
	if !errors.Is(seen, io.EOF) && !errors.Is(seen, io.ErrClosedPipe) {
		return seen
	}
	select {
	case <-c.failed:
		if c.err != nil {
			return c.err
		}
	case <-time.After(apart):
	}
	return seen
}

// apart is ample for two frames that were sent together.
const apart = 200 * time.Millisecond

// Close ends both directions.
func (c *streamConn) Close() error {
	c.once.Do(func() {
		c.Conn.Close()
		_ = c.data.Reset() // discards what was not sent, which would block the others
		c.streams.RemoveStreams(c.data)
	})
	return nil
}

// forwardFailure is what the container runtime says of a port that it could
// not reach.
type forwardFailure string

// Error leaves the cause only: the words before it name the runtime's
// internals.
func (e forwardFailure) Error() string {
	msg := strings.TrimSpace(string(e))
	for _, cause := range []string{"connection refused", "i/o timeout", "no such host"} {
		if strings.Contains(msg, cause) {
			return cause
		}
	}
	return msg
}
