package livesync

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"zr/pkg/agentspec/wire"
)

// The pauses between two attempts to connect.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = time.Second
)

// Client keeps one container in step. It is safe for concurrent use; Pushes
// are carried out one after the other.
type Client struct {
	opts     Options
	ctx      context.Context
	cancel   context.CancelCauseFunc
	ended    chan struct{} // closed when no goroutine of the client is left
	local    *locals
	pace     *pace
	programs *programs
	work     sync.WaitGroup // goroutines other than keep
	turn     chan struct{}  // holds a token while somebody changes the container

	mu       sync.Mutex
	conn     *connection   // nil while not connected
	fatal    error         // why the client is over
	err      error         // why it is not connected
	peer     string        // of the last connection
	changed  chan struct{} // closed and replaced when conn or fatal changes
	stopPlay context.CancelCauseFunc
	queued   []Change // pushed, and not yet part of want
	want     desired
	leaves   map[wire.Sum][]wire.Sum // of large files that the container holds
	notify   chan struct{}           // has a value when OnChange is due
}

// Open begins a client, which connects as soon as there is somebody to connect
// to. Pushes wait for that.
func Open(o Options) *Client {
	s := &Client{
		opts:     o,
		ended:    make(chan struct{}),
		local:    newLocals(),
		pace:     newPace(runtime.GOMAXPROCS(0)),
		programs: newPrograms(),
		turn:     make(chan struct{}, 1),
		changed:  make(chan struct{}),
		want:     desired{files: map[string]Source{}, dirty: map[string]bool{}},
		leaves:   map[wire.Sum][]wire.Sum{},
		notify:   make(chan struct{}, 1),
	}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	go s.keep()
	return s
}

// Close ends the client. What the container runs stays as it is.
func (s *Client) Close() {
	s.cancel(ErrClosed)
	<-s.ended
}

// State returns what is known of the container now.
func (s *Client) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{Connected: s.conn != nil, Err: s.err, Peer: s.peer}
	if s.fatal != nil {
		st.Err = s.fatal
	}
	if s.conn != nil {
		var held wire.Tree
		st.Status, held = s.conn.snapshot()
		st.Agreed = s.want.agreed && held.Sum() == s.want.tree
		st.InStep = st.Agreed && len(s.want.dirty) == 0
	}
	return st
}

// keep holds a connection open until the client ends.
func (s *Client) keep() {
	s.work.Go(s.tell)
	defer func() {
		s.cancel(ErrClosed)
		s.work.Wait()
		s.programs.close()
		close(s.ended)
	}()
	pause := firstPause
	for s.ctx.Err() == nil {
		conn, err := s.connect()
		if err == nil {
			pause = firstPause
			s.attach(conn)
			s.work.Go(func() { s.replay(conn) })
			select {
			case <-conn.down:
				err = conn.lost()
			case <-s.ctx.Done():
				conn.close(ErrClosed)
				err = ErrClosed
			}
			s.lastWord(conn)
		}
		s.detach(err)
		if errors.Is(err, ErrRefused) || errors.Is(err, ErrReplaced) {
			return
		}
		select {
		case <-s.ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

func (s *Client) connect() (*connection, error) {
	stream, err := s.opts.Dialer.Dial(s.ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.peer = stream.Peer
	s.mu.Unlock()
	return open(s.ctx, stream, s.opts.Token, s.pace, s.poke)
}

func (s *Client) attach(conn *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.err = conn, nil
	s.wakeLocked()
}

// lastWord notes whether what the container ran last was what it had been sent.
func (s *Client) lastWord(conn *connection) {
	status, _ := conn.snapshot()
	s.mu.Lock()
	defer s.mu.Unlock()
	if status.RolledBack {
		s.want.back = status.Tree
	}
}

func (s *Client) detach(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.err = nil, err
	if s.ctx.Err() != nil {
		s.fatal = ErrClosed
	} else if errors.Is(err, ErrRefused) || errors.Is(err, ErrReplaced) {
		s.fatal = err
	}
	s.wakeLocked()
}

func (s *Client) wakeLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
	s.poke()
}

// connected waits for a connection.
func (s *Client) connected(ctx context.Context) (*connection, error) {
	for {
		s.mu.Lock()
		conn, fatal, changed := s.conn, s.fatal, s.changed
		s.mu.Unlock()
		if fatal != nil {
			return nil, fatal
		}
		if conn != nil {
			select {
			case <-conn.down: // about to be detached
			default:
				return conn, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// poke makes OnChange be called.
func (s *Client) poke() {
	select {
	case s.notify <- struct{}{}:
	default:
	}
}

func (s *Client) tell() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.notify:
			if s.opts.OnChange != nil {
				s.opts.OnChange(s.State())
			}
		}
	}
}

// take waits for the turn to change the container.
func (s *Client) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.fatal != nil {
			return s.fatal
		}
		return ErrClosed
	}
}

func (s *Client) release() { <-s.turn }
