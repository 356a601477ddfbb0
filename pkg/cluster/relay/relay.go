// Package relay gives ports of this machine to NodePorts of a kind cluster that kind
// did not map when it made the cluster, and cannot map any more. A process of zr's own
// listens at them, on the loopback address, and hands connections on.
//
// There is one such process at most for an environment. It holds a file of zr's state
// locked as long as it lives. The file says what it relays. So every zr finds it, sees
// whether it is what is wanted, and can end it.
package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"zr/pkg/cluster/hostport"
)

// Port is a port of this machine and the NodePort that it leads to.
type Port struct {
	Service string `json:"service"` // whose port it is, for messages
	Host    int32  `json:"host"`
	Node    int32  `json:"node"`
}

// Dial opens a connection to a NodePort. It is safe for concurrent use.
type Dial func(ctx context.Context, node int32) (io.ReadWriteCloser, error)

// DialTimeout is how long a connection to the node may take. A node is on this
// machine, and answers in less than a millisecond, or with a refusal; the rest is
// for a machine that is busy. Who asks a relayed port and hears nothing for longer
// than that has been connected.
const DialTimeout = time.Second

// Relay is a number of listeners. It is used once.
type Relay struct {
	ports     []Port
	listeners []net.Listener
}

// Listen takes all of the ports, or none. A port that is in use is a
// *hostport.Taken.
func Listen(ports []Port) (*Relay, error) {
	r := &Relay{ports: ports}
	for _, p := range ports {
		l, err := net.Listen("tcp4", net.JoinHostPort(hostport.Loopback, strconv.Itoa(int(p.Host))))
		if errors.Is(err, syscall.EADDRINUSE) {
			if taken := hostport.Check(p.Host); taken != nil { // knows by whom
				err = taken
			}
		}
		if err != nil {
			r.close()
			return nil, fmt.Errorf("publishing service %q: %w", p.Service, err)
		}
		r.listeners = append(r.listeners, l)
	}
	return r, nil
}

func (r *Relay) close() {
	for _, l := range r.listeners {
		l.Close()
	}
}

// Serve hands connections on until ctx ends, and then closes all of them.
func (r *Relay) Serve(ctx context.Context, dial Dial) {
	defer context.AfterFunc(ctx, r.close)()
	var all sync.WaitGroup
	for i, l := range r.listeners {
		all.Go(func() {
			for {
				c, err := l.Accept()
				switch {
				case ctx.Err() != nil:
					if err == nil {
						c.Close()
					}
					return
				case err != nil: // out of files, for a moment
					pause(ctx, 100*time.Millisecond)
				default:
					all.Go(func() { handOn(ctx, c.(*net.TCPConn), r.ports[i].Node, dial) })
				}
			}
		})
	}
	all.Wait()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// handOn carries one connection. Where the node does not answer, the client is
// told so by a reset, which a refused connection is to it.
func handOn(ctx context.Context, client *net.TCPConn, node int32, dial Dial) {
	defer client.Close()
	dialling, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	server, err := dial(dialling, node)
	if err != nil {
		_ = client.SetLinger(0)
		return
	}
	defer server.Close()
	defer context.AfterFunc(ctx, func() {
		client.Close()
		server.Close()
	})()
	back := make(chan struct{})
	go func() {
		defer close(back)
		carry(client, server)
	}()
	carry(server, client)
	<-back
}

// carry copies until the source has no more, and tells the destination so: by
// the end of its one direction, or of both where it knows no other.
func carry(to, from io.ReadWriteCloser) {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite()
		return
	}
	to.Close()
	from.Close()
}
