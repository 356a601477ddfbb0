package kube

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/streaming/pkg/httpstream"
)

// failureLimit is how much is read of why a port was not reached, in bytes.
const failureLimit = 8 << 10

// Stream is one connection to a port of a pod. One goroutine may read while
// another writes, and any may close it.
type Stream struct {
	conn   httpstream.Connection
	solo   bool // conn is this stream's alone
	data   httpstream.Stream
	once   sync.Once
	failed chan struct{} // closed when err is known
	err    error
}

func newStream(conn httpstream.Connection, data, failure httpstream.Stream, solo bool) *Stream {
	s := &Stream{conn: conn, solo: solo, data: data, failed: make(chan struct{})}
	go s.watch(failure)
	return s
}

// watch reads what the container runtime says of a port that it cannot reach.
func (s *Stream) watch(failure httpstream.Stream) {
	said, err := io.ReadAll(io.LimitReader(failure, failureLimit))
	if s.err = err; len(said) > 0 {
		s.err = PortError(said)
	}
	close(s.failed)
	s.conn.RemoveStreams(failure)
	if s.err != nil {
		s.Close() // there will be no data
	}
}

// Read tells why the port was not reached, where it was not: a PortError in
// place of a bare end of file. So does Write: who speaks first hears of it there.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.data.Read(p)
	return n, s.explain(err)
}

func (s *Stream) Write(p []byte) (int, error) {
	n, err := s.data.Write(p)
	return n, s.explain(err)
}

// Close ends both directions.
func (s *Stream) Close() error {
	s.once.Do(func() {
		if s.solo {
			s.conn.Close()
			return
		}
		_ = s.data.Reset() // discards what was not sent, which would block the others
		s.conn.RemoveStreams(s.data)
	})
	return nil
}

// explain returns why the forwarding failed, or else what was seen of it. The
// runtime ends both streams together, but they may arrive apart.
func (s *Stream) explain(seen error) error {
	if seen == nil {
		return nil
	}
	select {
	case <-s.failed:
		if s.err != nil {
			return s.err
		}
	case <-time.After(apart):
	}
	return seen
}

// apart is ample for two frames that were sent together.
const apart = 200 * time.Millisecond

// PortError is what the container runtime says of a port that it could not
// reach. Where nobody listens there, it is a syscall.ECONNREFUSED.
type PortError string

// Error leaves the cause only: the words before it name the runtime's
// internals.
func (e PortError) Error() string {
	msg := strings.TrimSpace(string(e))
	for _, cause := range []string{refused, "i/o timeout", "no such host"} {
		if strings.Contains(msg, cause) {
			return cause
		}
	}
	return msg
}

const refused = "connection refused"

// Is implements what errors.Is asks.
func (e PortError) Is(target error) bool {
	return target == syscall.ECONNREFUSED && strings.Contains(string(e), refused)
}

// conn makes a net.Conn of a Stream. The pipe gives it deadlines, which streams
// lack and drivers of databases rely on.
type conn struct {
	net.Conn // this side of the pipe
	stream   *Stream
}

func newConn(s *Stream) *conn {
	near, far := net.Pipe()
	go func() {
		_, _ = io.Copy(far, s.data) // what went wrong, explain tells
		far.Close()
	}()
	go func() {
		_, _ = io.Copy(s.data, far)
		s.data.Close()
	}()
	return &conn{near, s}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, c.explain(err)
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, c.explain(err)
}

func (c *conn) SetDeadline(at time.Time) error      { return c.explain(c.Conn.SetDeadline(at)) }
func (c *conn) SetReadDeadline(at time.Time) error  { return c.explain(c.Conn.SetReadDeadline(at)) }
func (c *conn) SetWriteDeadline(at time.Time) error { return c.explain(c.Conn.SetWriteDeadline(at)) }

// explain asks the stream about what only its end can have caused: a deadline
// has its own error.
func (c *conn) explain(seen error) error {
	if errors.Is(seen, io.EOF) || errors.Is(seen, io.ErrClosedPipe) {
		return c.stream.explain(seen)
	}
	return seen
}

// Close ends both directions.
func (c *conn) Close() error {
	c.Conn.Close()
	return c.stream.Close()
}
