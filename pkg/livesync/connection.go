package livesync

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"zr/pkg/agentspec/wire"
)

// The heartbeat: a connection that dies without a word is noticed within
// deadAfter plus one beat.
const (
	beat      = time.Second
	deadAfter = 3500 * time.Millisecond
	helloTime = 10 * time.Second // a cold tunnel through a loaded API server
)

// errLost is what everything on a connection fails with when that has ended.
var errLost = errors.New("the connection to the container was lost")

// connection is one connection to the agent.
type connection struct {
	stream Stream
	frames *wire.Conn
	heard  atomic.Int64 // when the last frame came, in Unix nanoseconds
	down   chan struct{}
	once   sync.Once
	err    error // valid once down is closed

	onStatus func()

	mu       sync.Mutex
	status   wire.Status
	changed  chan struct{} // closed and replaced when status changes
	held     wire.Tree     // what the agent's folder holds; replaced, never changed
	stale    bool          // the agent went back to something else than held
	looked   chan struct{} // closed by the next welcome
	lastTx   uint32
	pending  map[uint32]*pending
	asked    chan wire.Leaves // the answer to the one question that may be open
	sent     uint64           // bytes of chunks
	acked    uint64
	ackEvent chan struct{} // closed and replaced at every ack
	pace     *pace
}

// pending is a transaction that the agent has not answered yet.
type pending struct {
	target  wire.Tree
	written chan struct{}
	result  chan wire.Result // takes one
}

// open says hello over a fresh stream.
func open(ctx context.Context, s Stream, token string, p *pace, onStatus func()) (*connection, error) {
	c := &connection{
		stream:   s,
		down:     make(chan struct{}),
		onStatus: onStatus,
		pending:  map[uint32]*pending{},
		ackEvent: make(chan struct{}),
		changed:  make(chan struct{}),
		pace:     p,
	}
	c.frames = wire.NewConn(struct {
		*bufio.Reader
		writer
	}{bufio.NewReaderSize(s, 64<<10), writer{s}})
	c.frames.Raise()
	c.heard.Store(time.Now().UnixNano())
	ctx, cancel := context.WithTimeoutCause(ctx, helloTime, errors.New("the agent does not answer"))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.close(context.Cause(ctx)) })
	defer stop()
	if err := c.greet(token); err != nil {
		c.close(err)
		return nil, c.err
	}
	if !stop() { // too late: the stream is closed
		<-c.down
		return nil, c.err
	}
	go c.listen()
	go c.heartbeat()
	return c, nil
}

// writer hides the reader of a stream.
type writer struct{ s Stream }

func (w writer) Write(b []byte) (int, error) { return w.s.Write(b) }

func (c *connection) greet(token string) error {
	if err := c.frames.WriteJSON(wire.TypeHello, wire.Hello{Version: wire.Version, Token: token}); err != nil {
		return err
	}
	t, b, err := c.frames.Read(nil)
	if err != nil {
		return err
	}
	switch t {
	case wire.TypeBye:
		return byeError(b)
	case wire.TypeWelcome:
		var w wire.Welcome
		if err := json.Unmarshal(b, &w); err != nil {
			return fmt.Errorf("reading the agent's welcome: %w", err)
		}
		c.status, c.held = w.Status, w.Files
		return nil
	default:
		return fmt.Errorf("%w: what listens there is not zr's agent", ErrRefused)
	}
}

func byeError(b []byte) error {
	var bye wire.Bye
	if err := json.Unmarshal(b, &bye); err != nil {
		return fmt.Errorf("reading the agent's goodbye: %w", err)
	}
	switch bye.Reason {
	case wire.ByeDenied:
		return fmt.Errorf("%w: the agent was started with another token", ErrRefused)
	case wire.ByeVersion:
		return fmt.Errorf("%w: %s", ErrRefused, bye.Detail)
	case wire.ByeReplaced:
		return ErrReplaced
	case wire.ByeStopping:
		return errors.New("the container stops")
	default:
		return fmt.Errorf("the agent closed the connection: %s", bye.Detail)
	}
}

// close ends the connection; the first reason stands.
func (c *connection) close(err error) {
	c.once.Do(func() {
		c.err = err
		close(c.down)
		// Closing writes goodbyes of its own, which a dead network does not take.
		go c.stream.Close()
	})
}

// lost returns the error of a connection that has ended.
func (c *connection) lost() error {
	<-c.down
	if errors.Is(c.err, ErrRefused) || errors.Is(c.err, ErrReplaced) {
		return c.err
	}
	return fmt.Errorf("%w: %w", errLost, c.err)
}

func (c *connection) heartbeat() {
	pings := make(chan struct{}, 1)
	defer close(pings)
	go func() { // writing may block for as long as the network is away
		for range pings {
			if err := c.frames.Write(wire.TypePing, make([]byte, 8)); err != nil {
				c.close(err)
			}
		}
	}()
	t := time.NewTicker(beat)
	defer t.Stop()
	for {
		select {
		case <-c.down:
			return
		case <-t.C:
		}
		if silent := time.Since(time.Unix(0, c.heard.Load())); silent > deadAfter {
			c.close(fmt.Errorf("no answer for %s", silent.Round(time.Millisecond)))
			return
		}
		select {
		case pings <- struct{}{}:
		default:
		}
	}
}

func (c *connection) listen() {
	var buf []byte
	for {
		t, b, err := c.frames.Read(buf)
		if err != nil {
			c.close(err)
			return
		}
		c.heard.Store(time.Now().UnixNano())
		if err := c.take(t, b); err != nil {
			c.close(err)
			return
		}
		buf = b[:0]
	}
}

func (c *connection) take(t wire.Type, b []byte) error {
	switch t {
	case wire.TypePong:
		return nil
	case wire.TypeAck:
		if len(b) != 8 {
			return errors.New("an ack of another length than 8")
		}
		c.mu.Lock()
		c.acked = binary.BigEndian.Uint64(b)
		c.pace.arrived(c.acked, time.Now())
		close(c.ackEvent)
		c.ackEvent = make(chan struct{})
		c.mu.Unlock()
		return nil
	case wire.TypeWritten:
		var p wire.Written
		if err := json.Unmarshal(b, &p); err != nil {
			return err
		}
		c.mu.Lock()
		c.markWritten(p.Tx)
		c.mu.Unlock()
		return nil
	case wire.TypeResult:
		var r wire.Result
		if err := json.Unmarshal(b, &r); err != nil {
			return err
		}
		c.finish(r)
		return nil
	case wire.TypeStatus:
		var s wire.Status
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		c.mu.Lock()
		c.setStatus(s)
		c.stale = c.stale || s.RolledBack && c.held.Sum() != s.Tree
		c.mu.Unlock()
		c.onStatus()
		return nil
	case wire.TypeLeaves:
		var v wire.Leaves
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		c.mu.Lock()
		asked := c.asked
		c.mu.Unlock()
		if asked != nil {
			select {
			case asked <- v:
			default:
			}
		}
		return nil
	case wire.TypeWelcome:
		var w wire.Welcome
		if err := json.Unmarshal(b, &w); err != nil {
			return err
		}
		c.mu.Lock()
		c.setStatus(w.Status)
		c.held, c.stale = w.Files, false
		if c.looked != nil {
			close(c.looked)
			c.looked = nil
		}
		c.mu.Unlock()
		return nil
	case wire.TypeBye:
		return byeError(b)
	default:
		return fmt.Errorf("a frame of type %d", t)
	}
}

// markWritten notes that the files of a transaction are in the folder.
func (c *connection) markWritten(tx uint32) {
	p := c.pending[tx]
	if p == nil {
		return
	}
	select {
	case <-p.written:
	default:
		c.held = p.target
		close(p.written)
	}
}

func (c *connection) finish(r wire.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pending[r.Tx]
	if p == nil {
		return
	}
	if r.Outcome == wire.Done {
		c.markWritten(r.Tx)
	}
	delete(c.pending, r.Tx)
	c.setStatus(r.Status)
	c.stale = c.stale || len(c.pending) == 0 && c.held.Sum() != r.Status.Tree
	p.result <- r
}

// awaitWritten waits until the files of every transaction are in place or refused,
// and looks at the folder again where that is not what it should be.
func (c *connection) awaitWritten(ctx context.Context) error {
	for {
		c.mu.Lock()
		var wait *pending
		for _, p := range c.pending {
			select {
			case <-p.written:
			default:
				wait = p
			}
		}
		stale := c.stale
		c.mu.Unlock()
		if wait == nil && !stale {
			return nil
		}
		if wait == nil {
			if err := c.look(ctx); err != nil {
				return err
			}
			continue
		}
		select {
		case <-wait.written:
		case r := <-wait.result: // refused
			wait.result <- r
		case <-c.down:
			return c.lost()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// look asks the agent what it holds.
func (c *connection) look(ctx context.Context) error {
	c.mu.Lock()
	looked := c.looked
	if looked == nil {
		looked = make(chan struct{})
		c.looked = looked
	}
	c.mu.Unlock()
	if err := c.frames.Write(wire.TypeLook); err != nil {
		c.close(err)
		return c.lost()
	}
	select {
	case <-looked:
		return nil
	case <-c.down:
		return c.lost()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// moved notes that the agent holds something else than was believed.
func (c *connection) moved() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stale = true
}

// begin registers a new transaction that leads to target.
func (c *connection) begin(target wire.Tree) (uint32, *pending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastTx++
	p := &pending{target: target, written: make(chan struct{}), result: make(chan wire.Result, 1)}
	c.pending[c.lastTx] = p
	return c.lastTx, p
}

// drop forgets a transaction that was not committed and tells the agent.
func (c *connection) drop(tx uint32) {
	c.mu.Lock()
	delete(c.pending, tx)
	c.mu.Unlock()
	if err := c.frames.WriteJSON(wire.TypeAbort, wire.Abort{Tx: tx}); err != nil {
		c.close(err)
	}
}

// setStatus takes a status, unless a newer one has come before it.
func (c *connection) setStatus(s wire.Status) {
	if s.Boot == c.status.Boot && s.Seq < c.status.Seq {
		return
	}
	c.status = s
	close(c.changed)
	c.changed = make(chan struct{})
}

// watch returns what the agent said last and a channel that is closed when it
// says something else.
func (c *connection) watch() (wire.Status, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status, c.changed
}

// snapshot returns what the agent said last.
func (c *connection) snapshot() (wire.Status, wire.Tree) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status, c.held
}

// leaves asks for the leaves of a held file. They are nil where that has
// changed. One question may be open at a time: callers hold the client's turn.
func (c *connection) leaves(ctx context.Context, path string, sum wire.Sum) ([]wire.Sum, error) {
	answer := make(chan wire.Leaves, 1)
	c.mu.Lock()
	c.asked = answer
	c.mu.Unlock()
	if err := c.frames.WriteJSON(wire.TypeLeaves, wire.LeavesOf{Path: path, Sum: sum}); err != nil {
		c.close(err)
		return nil, c.lost()
	}
	for {
		select {
		case v := <-answer:
			if v.Path == path && v.Sum == sum {
				return v.Sums, nil
			}
		case <-c.down:
			return nil, c.lost()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// room waits until fewer bytes than the window are on their way.
func (c *connection) room(ctx context.Context) error {
	for {
		c.mu.Lock()
		full := c.sent-c.acked > c.pace.window()
		event := c.ackEvent
		c.mu.Unlock()
		if !full {
			return nil
		}
		select {
		case <-event:
		case <-c.down:
			return c.lost()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// chunk sends a chunk and returns the bytes that it took. A short one may wait
// for the commit: the window is many times what can wait.
func (c *connection) chunk(ctx context.Context, part wire.Chunk) (int64, error) {
	if err := c.room(ctx); err != nil {
		return 0, err
	}
	head := part.Head()
	n := len(head) + len(part.Body)
	c.mu.Lock()
	if c.sent == c.acked {
		c.pace.begin(c.acked, time.Now())
	}
	c.sent += uint64(n)
	c.mu.Unlock()
	if err := c.frames.Later(wire.TypeChunk, head, part.Body); err != nil {
		c.close(err)
		return 0, c.lost()
	}
	return int64(n), nil
}
