package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// The server's limits, which the class of a route may change. A request is small
// and so is its answer.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 10 * time.Second
	writeMargin    = 5 * time.Second // for an answer, after the time of its route
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
)

// server is an http.Server that stops within milliseconds when nothing is in
// flight. http.Server.Shutdown alone gives a connection on which nothing was
// sent yet 5 s, and browsers open such connections in advance: every live
// reload would wait for them.
type server struct {
	http.Server

	mu    sync.Mutex
	fresh map[net.Conn]struct{} // connections on which nothing was sent yet
}

func newServer(h http.Handler, log *slog.Logger) *server {
	s := &server{fresh: map[net.Conn]struct{}{}}
	s.Server = http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ConnState:         s.track,
	}
	return s
}

func (s *server) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateNew {
		s.fresh[c] = struct{}{}
	} else {
		delete(s.fresh, c)
	}
}

// stop lets requests in flight end until ctx does, and closes everything else.
func (s *server) stop(ctx context.Context) error {
	// Before Shutdown looks at the connections for the first time; it closes
	// the listener itself, and what is accepted until then is closed below.
	s.SetKeepAlivesEnabled(false)
	closed := make(chan error, 1)
	go func() { closed <- s.Shutdown(ctx) }()
	for {
		s.closeFresh()
		select {
		case err := <-closed:
			if errors.Is(err, context.DeadlineExceeded) {
				return errors.Join(errors.New("requests were still in flight"), s.Close())
			}
			return err
		case <-time.After(time.Millisecond):
		}
	}
}

func (s *server) closeFresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.fresh {
		_ = c.Close()
	}
	clear(s.fresh)
}
