package health

import (
	"net"
	"testing"

	"zr/internal/testkit"
	kubeclient "zr/pkg/kube"
	"zr/pkg/kube/forwardtest"
)

// forward returns a port-forward to this machine, which stands for a pod.
func forward(t *testing.T) *kubeclient.Forward {
	t.Helper()
	f := clientOf(t, forwardtest.New(t).URL).Forward("x", "pod")
	t.Cleanup(f.Close)
	return f
}

// clientOf returns the client of an API server that needs no credentials.
func clientOf(t *testing.T, url string) *kubeclient.Client {
	t.Helper()
	client, err := kubeclient.New(&kubeclient.Config{Host: url})
	if err != nil {
		t.Fatal(err)
	}
	return client
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
