package agent

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"zr/internal/agent/folder"
	"zr/pkg/agentspec/wire"
)

// server accepts connections. The newest one that knows the token replaces
// the one before it.
type server struct {
	token  string
	folder *folder.Folder
	inbox  *inbox
	status *published
	log    *slog.Logger

	mu      sync.Mutex
	current *connection
}

// maxStrangers bounds the connections that have not shown the token yet.
const maxStrangers = 16

// accept serves a listener until that is closed.
func (s *server) accept(l net.Listener) {
	slots := make(chan struct{}, maxStrangers)
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Warn("accepting a connection failed", "error", err.Error())
			time.Sleep(100 * time.Millisecond) // out of descriptors: that passes
			continue
		}
		select {
		case slots <- struct{}{}:
			go func() {
				defer func() { <-slots }()
				s.serve(c)
			}()
		default:
			c.Close()
		}
	}
}

// take makes c the current connection.
func (s *server) take(c *connection) {
	s.mu.Lock()
	old := s.current
	s.current = c
	s.mu.Unlock()
	if old != nil {
		old.bye(wire.ByeReplaced, "")
		old.raw.Close()
	}
}

func (s *server) release(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == c {
		s.current = nil
	}
}

// stop says goodbye to the current connection.
func (s *server) stop() {
	s.mu.Lock()
	c := s.current
	s.mu.Unlock()
	if c != nil {
		c.bye(wire.ByeStopping, "")
		c.raw.Close()
	}
}
