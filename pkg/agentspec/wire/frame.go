// Package wire is what zr and its agent say to each other: length-prefixed frames over
// one byte stream. Control messages are JSON. File contents are binary chunks that can
// be applied in any order.
//
// zr speaks first (Hello). Then both sides send frames whenever they like. zr opens a
// transaction (Begin), streams its chunks (Chunk) and closes it (Commit, Abort). The
// agent answers every Commit with one Result, and sends a Status whenever that changes.
// Pings travel between the chunks, so that a dead connection is noticed during a long
// transfer too.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Version is the version of the protocol. Agent and zr come from the same
// build; a container that still runs an older agent is refused with both
// numbers named.
const Version = 3

// Type is the first byte of a frame.
type Type byte

// The frames. The comment names the sender and the payload.
const (
	TypeHello   Type = 1 + iota // zr: Hello
	TypeWelcome                 // agent: Welcome
	TypePing                    // zr: any 8 bytes
	TypePong                    // agent: the same 8 bytes
	TypeBegin                   // zr: Begin
	TypeChunk                   // zr: Chunk, binary
	TypeCommit                  // zr: Commit
	TypeAbort                   // zr: Abort
	TypeAck                     // agent: how many bytes of chunks it has read on this connection, 8 bytes
	TypeWritten                 // agent: Written
	TypeResult                  // agent: Result
	TypeStatus                  // agent: Status
	TypeLook                    // zr: nothing; answered by a Welcome
	TypeLeaves                  // zr: LeavesOf; agent: Leaves
	TypeBye                     // agent: Bye, the last frame before it closes
	TypeLayer                   // zr: Layer, to an agent that makes layers
	TypeLayered                 // agent: Layered
)

// Limits of a frame's payload.
const (
	// HelloLimit holds until the token was checked: a stranger can make the
	// agent hold no more than this.
	HelloLimit = 4 << 10
	// FrameLimit is the largest frame: the manifest of 100,000 files.
	FrameLimit = 32 << 20
)

// MaxLater bounds what Later holds back: a save of a few sources, less than one
// frame of a port-forward.
const MaxLater = 32 << 10

// headerSize is a Type and a big-endian length of the payload.
const headerSize = 5

// ErrTooLong is returned for a frame that is longer than the limit.
var ErrTooLong = errors.New("frame is too long")

// Conn reads and writes frames. One goroutine may read while any number write.
type Conn struct {
	r     io.Reader
	limit int

	mu  sync.Mutex // one frame at a time
	w   io.Writer
	buf []byte // what Later has left, with room for the next frame
}

// NewConn returns a Conn over rw that takes frames of at most HelloLimit bytes.
func NewConn(rw io.ReadWriter) *Conn {
	return &Conn{r: rw, w: rw, limit: HelloLimit}
}

// Raise lifts the limit to FrameLimit, once the peer is known. It must not be
// called while another goroutine reads.
func (c *Conn) Raise() { c.limit = FrameLimit }

// Read returns the next frame. The payload is written over buf where that is
// large enough. A stream that ends between two frames gives io.EOF, one that
// ends within a frame io.ErrUnexpectedEOF.
func (c *Conn) Read(buf []byte) (Type, []byte, error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(binary.BigEndian.Uint32(head[1:]))
	if n > c.limit {
		return 0, nil, fmt.Errorf("reading a frame of type %d and %d bytes: %w", head[0], n, ErrTooLong)
	}
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(c.r, buf); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return Type(head[0]), buf, nil
}

// Write sends a frame whose payload is the parts one after the other, in one write of
// the stream below: a port-forward makes a frame of its own of each write, which wakes
// each program on the way.
func (c *Conn) Write(t Type, parts ...[]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(t, parts)
	return c.flush()
}

// Later is Write, but the frame may wait for the next one that is written.
func (c *Conn) Later(t Type, parts ...[]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(t, parts)
	if len(c.buf) < MaxLater {
		return nil
	}
	return c.flush()
}

func (c *Conn) add(t Type, parts [][]byte) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	c.buf = append(c.buf, byte(t))
	c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(n))
	for _, p := range parts {
		c.buf = append(c.buf, p...)
	}
}

func (c *Conn) flush() error {
	_, err := c.w.Write(c.buf)
	c.buf = c.buf[:0]
	if cap(c.buf) > 4*MaxChunk {
		c.buf = nil // a manifest came by: do not hold its size for ever
	}
	return err
}

// WriteJSON sends a control message.
func (c *Conn) WriteJSON(t Type, message any) error { return c.json(c.Write, t, message) }

// LaterJSON is Later for a control message.
func (c *Conn) LaterJSON(t Type, message any) error { return c.json(c.Later, t, message) }

func (c *Conn) json(write func(Type, ...[]byte) error, t Type, message any) error {
	b, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encoding %T: %w", message, err)
	}
	return write(t, b)
}
