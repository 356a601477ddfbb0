// Package testkit holds the small things that tests of many packages need.
package testkit

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"zr/pkg/event"
)

// FreePort returns a TCP port of the loopback that nothing listens on, and that
// no other test of this machine is given before the end of t: its UDP port of
// the same number is held for that long. The number is below those that Linux
// gives to whoever asks for any (32768 and up by default), so that no
// connection takes it in between, and below the node ports of Kubernetes.
func FreePort(t testing.TB) int {
	t.Helper()
	const first, count, tries = 20000, 10000, 1000
	var err error
	for range tries {
		port := first + rand.IntN(count)
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		var held net.PacketConn
		if held, err = net.ListenPacket("udp4", addr); err != nil {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp4", addr); err != nil {
			held.Close()
			continue
		}
		l.Close()
		t.Cleanup(func() { held.Close() })
		return port
	}
	t.Fatalf("no free port after %d tries: %v", tries, err)
	return 0
}

// Serve listens on the loopback until the end of t and has serve answer on each
// connection, which is closed then. It returns the address.
func Serve(t testing.TB, serve func(net.Conn)) *net.TCPAddr {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr)
}

// WriteFile writes a file and makes the folders that it is in.
func WriteFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Buffer is a bytes.Buffer that is safe for concurrent use: what a process or
// a server writes while the test reads.
type Buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends p.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns what was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// Recorder is an event.Sink that keeps what it is told. It is safe for
// concurrent use.
type Recorder struct {
	mu     sync.Mutex
	events []event.Event
}

// Emit keeps e.
func (r *Recorder) Emit(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// Events returns what was emitted so far.
func (r *Recorder) Events() []event.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}
