package agent

import (
	"bufio"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"zr/internal/agent/folder"
	"zr/pkg/agentspec/wire"
)

// The patience of a connection.
const (
	helloTime = 5 * time.Second
	// idleTimeout is how long zr may say nothing; it sends a ping every second.
	idleTimeout = 15 * time.Second
	// writeTime is how long zr may not read what it is sent.
	writeTime = 10 * time.Second
	// resultFirst is how long a new status waits for the result of what changed it,
	// which tells it too. Each frame wakes every program between here and zr, while a
	// dev server compiles the save on the same cores.
	resultFirst = 5 * time.Millisecond
	// readBuffer takes a chunk in few system calls.
	readBuffer = 256 << 10
)

// connection is that of a zr that knows the token.
type connection struct {
	server *server
	raw    net.Conn
	conn   *wire.Conn
	tx     *transfer // open transaction, or nil
	gone   chan struct{}

	read, acked uint64 // bytes of chunks

	told atomic.Uint64 // Seq of the newest status that was sent
}

// deadlined gives every read and write of a connection a time limit.
type deadlined struct {
	net.Conn
	r *bufio.Reader
}

func (d deadlined) Read(b []byte) (int, error) { return d.r.Read(b) }

func (d deadlined) Write(b []byte) (int, error) {
	if err := d.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	return d.Conn.Write(b)
}

// serve speaks with one connection until it ends.
func (s *server) serve(raw net.Conn) {
	defer raw.Close()
	c := &connection{
		server: s,
		raw:    raw,
		conn:   wire.NewConn(deadlined{raw, bufio.NewReaderSize(raw, readBuffer)}),
		gone:   make(chan struct{}),
	}
	if err := c.greet(); err != nil {
		s.log.Warn("a connection was refused", "reason", err.Error())
		return
	}
	c.conn.Raise()
	s.take(c)
	defer s.release(c)
	defer close(c.gone)
	changed, err := c.welcome()
	if err != nil {
		return
	}
	go c.report(changed)
	err = c.loop()
	if c.tx != nil {
		c.tx.abort()
	}
	var bad protocolError
	if errors.As(err, &bad) {
		c.bye(wire.ByeProtocol, bad.Error())
		s.log.Warn("a connection was closed", "reason", bad.Error())
	}
}

func (c *connection) greet() error {
	_ = c.raw.SetReadDeadline(time.Now().Add(helloTime))
	t, b, err := c.conn.Read(nil)
	if err != nil {
		return err
	}
	var hello wire.Hello
	if t != wire.TypeHello || json.Unmarshal(b, &hello) != nil {
		return errors.New("it did not begin with a hello")
	}
	if subtle.ConstantTimeCompare([]byte(hello.Token), []byte(c.server.token)) != 1 {
		c.bye(wire.ByeDenied, "")
		return errors.New("wrong token")
	}
	if hello.Version != wire.Version {
		detail := fmt.Sprintf("the agent speaks version %d, zr %d", wire.Version, hello.Version)
		c.bye(wire.ByeVersion, detail)
		return errors.New(detail)
	}
	return nil
}

func (c *connection) bye(r wire.ByeReason, detail string) {
	_ = c.conn.WriteJSON(wire.TypeBye, wire.Bye{Reason: r, Detail: detail})
}

// welcome says what the container runs and holds.
func (c *connection) welcome() (<-chan struct{}, error) {
	status, changed := c.server.status.get()
	files := c.server.folder.Tree()
	status.Tree = files.Sum()
	err := c.conn.WriteJSON(wire.TypeWelcome, wire.Welcome{Version: wire.Version, Status: status, Files: files})
	c.tell(status)
	return changed, err
}

// tell notes that a status was sent.
func (c *connection) tell(s wire.Status) {
	for {
		told := c.told.Load()
		if s.Seq <= told || c.told.CompareAndSwap(told, s.Seq) {
			return
		}
	}
}

// report sends the status whenever it changes, unless a result has told it.
func (c *connection) report(changed <-chan struct{}) {
	for {
		select {
		case <-c.gone:
			return
		case <-changed:
		}
		select {
		case <-c.gone:
			return
		case <-time.After(resultFirst):
		}
		var status wire.Status
		status, changed = c.server.status.get()
		if status.Seq <= c.told.Load() {
			continue
		}
		c.tell(status)
		if c.conn.WriteJSON(wire.TypeStatus, status) != nil {
			c.raw.Close() // wakes loop
			return
		}
	}
}

// protocolError is a frame that no zr sends.
type protocolError struct{ error }

func (c *connection) loop() error {
	for {
		_ = c.raw.SetReadDeadline(time.Now().Add(idleTimeout))
		buf := frames.Get().(*[]byte)
		t, b, err := c.conn.Read(*buf)
		if err != nil {
			frames.Put(buf)
			if errors.Is(err, wire.ErrTooLong) {
				err = protocolError{err}
			}
			return err
		}
		if t == wire.TypeChunk {
			chunk, err := wire.ParseChunk(b)
			if err != nil {
				return protocolError{err}
			}
			if err := c.ack(len(b)); err != nil {
				return err
			}
			if c.tx == nil {
				frames.Put(buf) // of a transaction that was aborted
				continue
			}
			c.tx.add(chunk, buf)
			continue
		}
		err = c.handle(t, b)
		frames.Put(buf)
		if err != nil {
			return err
		}
	}
}

// ack tells zr from time to time how much has arrived, so that it knows how
// fast the way to here is.
func (c *connection) ack(n int) error {
	c.read += uint64(n)
	if c.read-c.acked < wire.AckEvery {
		return nil
	}
	c.acked = c.read
	return c.conn.Write(wire.TypeAck, binary.BigEndian.AppendUint64(nil, c.read))
}

func (c *connection) handle(t wire.Type, b []byte) error {
	switch t {
	case wire.TypePing:
		return c.conn.Write(wire.TypePong, b)
	case wire.TypeBegin:
		var begin wire.Begin
		if err := json.Unmarshal(b, &begin); err != nil {
			return protocolError{fmt.Errorf("begin: %w", err)}
		}
		if c.tx != nil {
			c.tx.abort()
		}
		c.tx = newTransfer(c.server.folder, begin)
	case wire.TypeCommit:
		var commit wire.Commit
		if err := json.Unmarshal(b, &commit); err != nil {
			return protocolError{fmt.Errorf("commit: %w", err)}
		}
		return c.commit(commit)
	case wire.TypeAbort:
		var abort wire.Abort
		if err := json.Unmarshal(b, &abort); err != nil {
			return protocolError{fmt.Errorf("abort: %w", err)}
		}
		if c.tx != nil && c.tx.id == abort.Tx {
			c.tx.abort()
			c.tx = nil
		}
	case wire.TypeLook:
		_, err := c.welcome()
		return err
	case wire.TypeLeaves:
		var of wire.LeavesOf
		if err := json.Unmarshal(b, &of); err != nil {
			return protocolError{fmt.Errorf("leaves: %w", err)}
		}
		answer := wire.Leaves{Path: of.Path, Sum: of.Sum}
		if sums := c.server.folder.Leaves(of.Path, of.Sum); len(sums) <= wire.LeafCount(wire.MaxAsked) {
			answer.Sums = sums
		}
		return c.conn.WriteJSON(wire.TypeLeaves, answer)
	default:
		return protocolError{fmt.Errorf("a frame of type %d", t)}
	}
	return nil
}

// commit hands the open transaction to the engine.
func (c *connection) commit(commit wire.Commit) error {
	if c.tx == nil || c.tx.id != commit.Tx {
		return protocolError{fmt.Errorf("commit of transaction %d, which is not open", commit.Tx)}
	}
	t := c.tx
	c.tx = nil
	tx, err := t.finish()
	if err != nil {
		outcome := wire.Failed
		if errors.Is(err, folder.ErrMoved) {
			outcome = wire.Moved
		}
		status, _ := c.server.status.get()
		return c.conn.WriteJSON(wire.TypeResult, wire.Result{
			Tx: commit.Tx, Outcome: outcome, Error: err.Error(), Status: status,
		})
	}
	c.server.inbox.put(&request{
		tx:       tx,
		commit:   commit,
		received: time.Since(t.begun),
		written: func() {
			if c.conn.WriteJSON(wire.TypeWritten, wire.Written{Tx: commit.Tx}) != nil {
				c.raw.Close()
			}
		},
		reply: func(r wire.Result) {
			c.tell(r.Status)
			if c.conn.WriteJSON(wire.TypeResult, r) != nil {
				c.raw.Close()
			}
		},
	})
	return nil
}
