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

// Server is an http.Server that stops within milliseconds when nothing is in flight.
// http.Server.Shutdown alone gives a connection on which nothing was sent yet 5 s.
// Browsers open such connections in advance, so every live reload would wait for them.
type Server struct {
	http.Server

	log *slog.Logger

	mu      sync.Mutex
	fresh   map[net.Conn]struct{} // connections on which nothing was sent yet
	reading map[net.Conn]struct{} // those with a request that no handler has
}

// New returns a server of h. What net/http has to say goes to log.
func New(h http.Handler, log *slog.Logger) *Server {
	s := &Server{log: log, fresh: map[net.Conn]struct{}{}, reading: map[net.Conn]struct{}{}}
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

// handle passes requests to next.
func (s *Server) handle(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(net.Conn); ok {
			s.mu.Lock()
			delete(s.reading, c)
			s.mu.Unlock()
		}
		next.ServeHTTP(w, r)
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

// Stop lets requests in flight end until ctx does, and closes everything else.
func (s *Server) Stop(ctx context.Context) error {
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

func (s *Server) closeFresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.fresh {
		_ = c.Close()
	}
	clear(s.fresh)
}
