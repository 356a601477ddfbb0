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

	"zr/internal/agent/wire"
)

// The heartbeat: a connection that dies without a word is noticed within
// deadAfter plus one beat.
const (
	beat      = time.Second
	deadAfter = 3500 * time.Millisecond
	helloTime = 10 * time.Second // a cold tunnel through a loaded API server
)

// errLost is what everything on a link fails with when that has ended.
var errLost = errors.New("the connection to the container was lost")

// link is one connection to the agent.
type link struct {
	stream Stream
	conn   *wire.Conn
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
	target wire.Tree
	placed chan struct{}
	result chan wire.Result // takes one
}

// open says hello over a fresh stream.
func open(ctx context.Context, s Stream, token string, p *pace, onStatus func()) (*link, error) {
	l := &link{
		stream:   s,
		down:     make(chan struct{}),
		onStatus: onStatus,
		pending:  map[uint32]*pending{},
		ackEvent: make(chan struct{}),
		changed:  make(chan struct{}),
		pace:     p,
	}
	l.conn = wire.NewConn(struct {
		*bufio.Reader
		writer
	}{bufio.NewReaderSize(s, 64<<10), writer{s}})
	l.conn.Raise()
	l.heard.Store(time.Now().UnixNano())
	ctx, cancel := context.WithTimeoutCause(ctx, helloTime, errors.New("the agent does not answer"))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.close(context.Cause(ctx)) })
	defer stop()
	if err := l.greet(token); err != nil {
		l.close(err)
		return nil, l.err
	}
	if !stop() { // too late: the stream is closed
		<-l.down
		return nil, l.err
	}
	go l.listen()
	go l.heartbeat()
	return l, nil
}

// writer hides the reader of a stream.
type writer struct{ s Stream }

func (w writer) Write(b []byte) (int, error) { return w.s.Write(b) }

func (l *link) greet(token string) error {
	if err := l.conn.WriteJSON(wire.TypeHello, wire.Hello{Version: wire.Version, Token: token}); err != nil {
		return err
	}
	t, b, err := l.conn.Read(nil)
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
		l.status, l.held = w.Status, w.Files
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

// close ends the link; the first reason stands.
func (l *link) close(err error) {
	l.once.Do(func() {
		l.err = err
		close(l.down)
		// Closing writes goodbyes of its own, which a dead network does not take.
		go l.stream.Close()
	})
}

// lost returns the error of a link that has ended.
func (l *link) lost() error {
	<-l.down
	if errors.Is(l.err, ErrRefused) || errors.Is(l.err, ErrReplaced) {
		return l.err
	}
	return fmt.Errorf("%w: %w", errLost, l.err)
}

func (l *link) heartbeat() {
	pings := make(chan struct{}, 1)
	defer close(pings)
	go func() { // writing may block for as long as the network is away
		for range pings {
			if err := l.conn.Write(wire.TypePing, make([]byte, 8)); err != nil {
				l.close(err)
			}
		}
	}()
	t := time.NewTicker(beat)
	defer t.Stop()
	for {
		select {
		case <-l.down:
			return
		case <-t.C:
		}
		if silent := time.Since(time.Unix(0, l.heard.Load())); silent > deadAfter {
			l.close(fmt.Errorf("no answer for %s", silent.Round(time.Millisecond)))
			return
		}
		select {
		case pings <- struct{}{}:
		default:
		}
	}
}

func (l *link) listen() {
	var buf []byte
	for {
		t, b, err := l.conn.Read(buf)
		if err != nil {
			l.close(err)
			return
		}
		l.heard.Store(time.Now().UnixNano())
		if err := l.take(t, b); err != nil {
			l.close(err)
			return
		}
		buf = b[:0]
	}
}

func (l *link) take(t wire.Type, b []byte) error {
	switch t {
	case wire.TypePong:
		return nil
	case wire.TypeAck:
		if len(b) != 8 {
			return errors.New("an ack of another length than 8")
		}
		l.mu.Lock()
		l.acked = binary.BigEndian.Uint64(b)
		l.pace.arrived(l.acked, time.Now())
		close(l.ackEvent)
		l.ackEvent = make(chan struct{})
		l.mu.Unlock()
		return nil
	case wire.TypePlaced:
		var p wire.Placed
		if err := json.Unmarshal(b, &p); err != nil {
			return err
		}
		l.mu.Lock()
		l.place(p.Tx)
		l.mu.Unlock()
		return nil
	case wire.TypeResult:
		var r wire.Result
		if err := json.Unmarshal(b, &r); err != nil {
			return err
		}
		l.finish(r)
		return nil
	case wire.TypeStatus:
		var s wire.Status
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		l.mu.Lock()
		l.setStatus(s)
		l.stale = l.stale || s.RolledBack && l.held.Sum() != s.Tree
		l.mu.Unlock()
		l.onStatus()
		return nil
	case wire.TypeLeaves:
		var v wire.Leaves
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		l.mu.Lock()
		asked := l.asked
		l.mu.Unlock()
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
		l.mu.Lock()
		l.setStatus(w.Status)
		l.held, l.stale = w.Files, false
		if l.looked != nil {
			close(l.looked)
			l.looked = nil
		}
		l.mu.Unlock()
		return nil
	case wire.TypeBye:
		return byeError(b)
	default:
		return fmt.Errorf("a frame of type %d", t)
	}
}

// place notes that the files of a transaction are in the folder.
func (l *link) place(tx uint32) {
	p := l.pending[tx]
	if p == nil {
		return
	}
	select {
	case <-p.placed:
	default:
		l.held = p.target
		close(p.placed)
	}
}

func (l *link) finish(r wire.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.pending[r.Tx]
	if p == nil {
		return
	}
	if r.Outcome == wire.Done {
		l.place(r.Tx)
	}
	delete(l.pending, r.Tx)
	l.setStatus(r.Status)
	l.stale = l.stale || len(l.pending) == 0 && l.held.Sum() != r.Status.Tree
	p.result <- r
}

// settle waits until the files of every transaction are in place or refused,
// and looks at the folder again where that is not what it should be.
func (l *link) settle(ctx context.Context) error {
	for {
		l.mu.Lock()
		var wait *pending
		for _, p := range l.pending {
			select {
			case <-p.placed:
			default:
				wait = p
			}
		}
		stale := l.stale
		l.mu.Unlock()
		if wait == nil && !stale {
			return nil
		}
		if wait == nil {
			if err := l.look(ctx); err != nil {
				return err
			}
			continue
		}
		select {
		case <-wait.placed:
		case r := <-wait.result: // refused
			wait.result <- r
		case <-l.down:
			return l.lost()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// look asks the agent what it holds.
func (l *link) look(ctx context.Context) error {
	l.mu.Lock()
	looked := l.looked
	if looked == nil {
		looked = make(chan struct{})
		l.looked = looked
	}
	l.mu.Unlock()
	if err := l.conn.Write(wire.TypeLook); err != nil {
		l.close(err)
		return l.lost()
	}
	select {
	case <-looked:
		return nil
	case <-l.down:
		return l.lost()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// moved notes that the agent holds something else than was believed.
func (l *link) moved() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stale = true
}

// begin registers a new transaction that leads to target.
func (l *link) begin(target wire.Tree) (uint32, *pending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastTx++
	p := &pending{target: target, placed: make(chan struct{}), result: make(chan wire.Result, 1)}
	l.pending[l.lastTx] = p
	return l.lastTx, p
}

// drop forgets a transaction that was not committed and tells the agent.
func (l *link) drop(tx uint32) {
	l.mu.Lock()
	delete(l.pending, tx)
	l.mu.Unlock()
	if err := l.conn.WriteJSON(wire.TypeAbort, wire.Abort{Tx: tx}); err != nil {
		l.close(err)
	}
}

// setStatus takes a status, unless a newer one has come before it.
func (l *link) setStatus(s wire.Status) {
	if s.Boot == l.status.Boot && s.Seq < l.status.Seq {
		return
	}
	l.status = s
	close(l.changed)
	l.changed = make(chan struct{})
}

// watch returns what the agent said last and a channel that is closed when it
// says something else.
func (l *link) watch() (wire.Status, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status, l.changed
}

// snapshot returns what the agent said last.
func (l *link) snapshot() (wire.Status, wire.Tree) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status, l.held
}

// leaves asks for the leaves of a held file. They are nil where that has
// changed. One question may be open at a time: callers hold the session's turn.
func (l *link) leaves(ctx context.Context, path string, sum wire.Sum) ([]wire.Sum, error) {
	answer := make(chan wire.Leaves, 1)
	l.mu.Lock()
	l.asked = answer
	l.mu.Unlock()
	if err := l.conn.WriteJSON(wire.TypeLeaves, wire.LeavesOf{Path: path, Sum: sum}); err != nil {
		l.close(err)
		return nil, l.lost()
	}
	for {
		select {
		case v := <-answer:
			if v.Path == path && v.Sum == sum {
				return v.Sums, nil
			}
		case <-l.down:
			return nil, l.lost()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// room waits until fewer bytes than the window are on their way.
func (l *link) room(ctx context.Context) error {
	for {
		l.mu.Lock()
		full := l.sent-l.acked > l.pace.window()
		event := l.ackEvent
		l.mu.Unlock()
		if !full {
			return nil
		}
		select {
		case <-event:
		case <-l.down:
			return l.lost()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// chunk sends a chunk and returns the bytes that it took. A short one may wait
// for the commit: the window is many times what can wait.
func (l *link) chunk(ctx context.Context, c wire.Chunk) (int64, error) {
	if err := l.room(ctx); err != nil {
		return 0, err
	}
	head := c.Head()
	n := len(head) + len(c.Body)
	l.mu.Lock()
	if l.sent == l.acked {
		l.pace.begin(l.acked, time.Now())
	}
	l.sent += uint64(n)
	l.mu.Unlock()
	if err := l.conn.Later(wire.TypeChunk, head, c.Body); err != nil {
		l.close(err)
		return 0, l.lost()
	}
	return int64(n), nil
}
