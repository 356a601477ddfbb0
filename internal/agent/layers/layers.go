// Package layers is the agent as a pod that pushes: it stands near a registry, and makes
// a layer there of an older one and of what zr says has changed, so that a change of
// a program need not travel to the registry as a whole. What it makes has the digest
// that zr expects, or is not pushed.
package layers

import (
	"bufio"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"

	"zr/pkg/agentspec"
	"zr/pkg/agentspec/wire"
)

const (
	// helloTime is how long a stranger may take to say who it is.
	helloTime = 5 * time.Second
	// drainTime is how long zr may go on sending after it was told that a layer failed.
	drainTime = 10 * time.Second
	// connects and answers are how long the registry may take to be connected to, and
	// then to answer: network policies and firewalls drop what they forbid without a word.
	connects, answers = 10 * time.Second, 30 * time.Second
	// memory is what the agent keeps its garbage below, in bytes: MaxLayer twice,
	// what they compress to, and the state of two compressors.
	memory = 320 << 20
)

// Main serves zr until the process is told to stop, and returns the exit code: 0, or
// 2 where the environment makes no sense.
func Main() int {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("logger", "zr-agent")
	token := os.Getenv(agentspec.EnvToken)
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(agentspec.DefaultPort)))
	if token == "" {
		err = errors.Join(err, fmt.Errorf("%s is not set", agentspec.EnvToken))
	}
	if err != nil {
		log.Error("the agent cannot run", "error", err.Error())
		return 2
	}
	debug.SetMemoryLimit(memory)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	s := &Server{Token: token, Log: log, Client: client(connects, answers)}
	s.Serve(ctx, listener)
	return 0
}

// client gives up on a registry that says nothing.
func client(connects, answers time.Duration) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: connects}).DialContext
	t.TLSHandshakeTimeout, t.ResponseHeaderTimeout = connects, answers
	return &http.Client{Transport: t}
}

// Server makes layers for who knows the token, one at a time.
type Server struct {
	Token  string
	Log    *slog.Logger
	Client *http.Client // asks the registry

	turn sync.Mutex // bounds the memory
}

// Serve takes connections until ctx is done.
func (s *Server) Serve(ctx context.Context, listener net.Listener) {
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			if err := s.serve(ctx, conn); err != nil && ctx.Err() == nil {
				s.Log.Warn("a connection was closed", "reason", err.Error())
			}
		}()
	}
}

// serve makes the one layer that a connection asks for.
func (s *Server) serve(ctx context.Context, raw net.Conn) error {
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	conn := wire.NewConn(struct {
		io.Reader
		io.Writer
	}{bufio.NewReaderSize(raw, wire.MaxChunk), raw})
	_ = raw.SetReadDeadline(time.Now().Add(helloTime))
	if err := s.greet(conn); err != nil {
		return err
	}
	_ = raw.SetReadDeadline(time.Time{})
	conn.Raise()
	if err := conn.WriteJSON(wire.TypeWelcome, wire.Welcome{Version: wire.Version}); err != nil {
		return err
	}
	var layer wire.Layer
	if err := read(conn, wire.TypeLayer, &layer); err != nil {
		return err
	}
	s.turn.Lock()
	err := Make(ctx, s.Client, layer, conn)
	s.turn.Unlock()
	var answer wire.Layered
	if err != nil {
		answer.Error = err.Error()
	}
	if failed := conn.WriteJSON(wire.TypeLayered, answer); failed != nil || err == nil {
		return failed
	}
	// What was not read when the connection is closed would take the answer with it.
	_ = raw.SetReadDeadline(time.Now().Add(drainTime))
	_, _ = io.Copy(io.Discard, raw)
	return err
}

func (s *Server) greet(conn *wire.Conn) error {
	var hello wire.Hello
	if err := read(conn, wire.TypeHello, &hello); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(hello.Token), []byte(s.Token)) != 1 {
		return errors.New("wrong token")
	}
	if hello.Version != wire.Version {
		return fmt.Errorf("the agent speaks version %d, zr %d", wire.Version, hello.Version)
	}
	return nil
}

func read(conn *wire.Conn, want wire.Type, into any) error {
	t, payload, err := conn.Read(nil)
	if err != nil {
		return err
	}
	if t != want || json.Unmarshal(payload, into) != nil {
		return fmt.Errorf("a frame of type %d makes no sense", t)
	}
	return nil
}
