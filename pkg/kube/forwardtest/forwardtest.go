// Package forwardtest gives tests a kubelet that forwards ports. It is imported by
// tests only.
package forwardtest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// protocol is the name of the only version of the protocol.
const protocol = "portforward.k8s.io"

// Kubelet forwards ports to this machine as a kubelet does to a pod, over the
// same protocol. It takes any pod for this machine.
type Kubelet struct {
	URL string // of what stands for the API server

	mu    sync.Mutex
	conns []httpstream.Connection
}

// New starts a kubelet that ends with the test.
func New(t testing.TB) *Kubelet {
	k := &Kubelet{}
	server := httptest.NewServer(http.HandlerFunc(k.serve))
	k.URL = server.URL
	t.Cleanup(func() {
		k.Cut()
		server.Close()
	})
	return k
}

// Cut breaks all connections.
func (k *Kubelet) Cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.conns {
		c.Close()
	}
	k.conns = nil
}

func (k *Kubelet) serve(w http.ResponseWriter, r *http.Request) {
	if _, err := httpstream.Handshake(r, w, []string{protocol}); err != nil {
		return
	}
	pairs := map[string]httpstream.Stream{}
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, replied <-chan struct{}) error {
		id := s.Headers().Get(corev1.PortForwardRequestIDHeader)
		if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
			pairs[id] = s
			return nil
		}
		failure := pairs[id]
		go func() {
			<-replied
			forward(s, failure)
		}()
		return nil
	})
	if conn == nil {
		return
	}
	k.mu.Lock()
	k.conns = append(k.conns, conn)
	k.mu.Unlock()
	<-conn.CloseChan()
}

func forward(data, failure httpstream.Stream) {
	defer data.Close()
	defer failure.Close()
	port, err := strconv.Atoi(data.Headers().Get(corev1.PortHeader))
	if err != nil {
		return
	}
	conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		fmt.Fprintf(failure, "error forwarding port %d to pod x: failed to connect to localhost:%d inside namespace: %v", port, port, err)
		_ = data.Reset()
		_ = failure.Reset()
		return
	}
	defer conn.Close()
	done := make(chan struct{}, 2)
	go func() { _, _ = io.Copy(conn, data); done <- struct{}{} }()
	go func() { _, _ = io.Copy(data, conn); done <- struct{}{} }()
	<-done
}
