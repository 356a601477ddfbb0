package health

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
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	clientspdy "k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"zr/internal/testkit"
)

// kubelet forwards ports to this machine as a kubelet does to a pod, over the
// same protocol.
type kubelet struct {
	server *httptest.Server
	mu     sync.Mutex
	conns  []httpstream.Connection
}

func newKubelet(t *testing.T) *kubelet {
	k := &kubelet{}
	k.server = httptest.NewServer(http.HandlerFunc(k.serve))
	t.Cleanup(func() {
		k.cut()
		k.server.Close()
	})
	return k
}

// tunnel returns a tunnel through the kubelet.
func (k *kubelet) tunnel(t *testing.T) *tunnel {
	tun := newTunnel(func() (httpstream.Connection, error) {
		transport, upgrader, err := clientspdy.RoundTripperFor(&rest.Config{Host: k.server.URL})
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequest(http.MethodPost, k.server.URL, nil)
		if err != nil {
			return nil, err
		}
		conn, _, err := clientspdy.NegotiateStreaming(upgrader, &http.Client{Transport: transport}, req, portforward.PortForwardProtocolV1Name)
		return conn, err
	}, "pod")
	t.Cleanup(tun.close)
	return tun
}

// cut breaks all connections.
func (k *kubelet) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.conns {
		c.Close()
	}
	k.conns = nil
}

func (k *kubelet) serve(w http.ResponseWriter, r *http.Request) {
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
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

// listen serves TCP connections and returns the port.
func listen(t *testing.T, serve func(net.Conn)) int32 {
	t.Helper()
	return int32(testkit.Serve(t, serve).Port)
}

// closedPort returns a port that nobody listens on.
func closedPort(t *testing.T) int32 {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return int32(l.Addr().(*net.TCPAddr).Port)
}
