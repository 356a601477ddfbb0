// Package server is the HTTP server of the api, and what holds for every request: who may
// ask, how much, and how often.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"zr/internal/api/socket"
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

// lastStreams bounds how long clients of streams may take to say that they go.
const lastStreams = time.Second

// Server is an http.Server that stops within milliseconds when nothing is in flight.
// http.Server.Shutdown alone gives a connection on which nothing was sent yet 5 s.
// Browsers open such connections in advance, so every live reload would wait for them.
type Server struct {
	http.Server

	log      *slog.Logger
	draining context.Context // ends when streams have to
	drain    context.CancelFunc
	handling sync.WaitGroup // of requests, streams among them

	mu      sync.Mutex
	fresh   map[net.Conn]struct{} // connections on which nothing was sent yet
	reading map[net.Conn]struct{} // those with a request that no handler has
}

// New returns a server of h. What net/http has to say goes to log.
func New(h http.Handler, log *slog.Logger) *Server {
	draining, drain := context.WithCancel(context.Background())
	s := &Server{log: log, draining: draining, drain: drain, fresh: map[net.Conn]struct{}{}, reading: map[net.Conn]struct{}{}}
	s.Server = http.Server{
		Handler:           s.handle(h),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ConnState:         s.track,
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		// What asks for "*" is refused, and logged, as anything else is.
		DisableGeneralOptionsHandler: true,
	}
	return s
}

type connKey struct{}

// handle passes requests to next, with the context in which their streams end.
func (s *Server) handle(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(net.Conn); ok {
			s.mu.Lock()
			delete(s.reading, c)
			s.mu.Unlock()
		}
		s.handling.Add(1)
		defer s.handling.Done()
		next.ServeHTTP(w, r.WithContext(socket.WithDrain(r.Context(), s.draining)))
	})
}

// track keeps what Stop closes. It logs what the http package refuses by itself: a
// header that is too large, malformed or too slow. Such a connection ends with a
// request that no handler was given.
func (s *Server) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.fresh, c)
	switch state {
	case http.StateNew:
		s.fresh[c] = struct{}{}
	case http.StateActive:
		s.reading[c] = struct{}{}
	case http.StateClosed:
		if _, refused := s.reading[c]; refused {
			delete(s.reading, c)
			s.log.Info("refused before any route: no whole, well-formed request came", "address", c.RemoteAddr().String())
		}
	}
}

// Stop lets requests in flight end until ctx does, tells clients of streams to come back,
// and closes everything else.
func (s *Server) Stop(ctx context.Context) error {
	// Before Shutdown looks at the connections for the first time; it closes
	// the listener itself, and what is accepted until then is closed below.
	s.SetKeepAlivesEnabled(false)
	closed := make(chan error, 1)
	go func() { closed <- s.Shutdown(ctx) }()
	s.drain()
	defer s.awaitStreams(ctx) // http.Server does not know of them any more
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

func (s *Server) awaitStreams(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.handling.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(lastStreams):
	case <-ctx.Done():
	}
}

func (s *Server) closeFresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.fresh {
		_ = c.Close()
	}
	clear(s.fresh)
}
