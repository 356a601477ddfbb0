package apitest

import (
	"encoding/pem"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"zr/internal/api/kube"
)

// InCluster returns a client that finds a server as a pod of the namespace zr-test
// finds the API of its cluster.
func InCluster(t testing.TB, srv *httptest.Server) *kube.Client {
	t.Helper()
	mount := t.TempDir()
	for name, content := range map[string]string{
		"namespace": "zr-test", "token": "mock-token",
		"ca.crt": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})),
	} {
		if err := os.WriteFile(filepath.Join(mount, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kube.InCluster(func(name string) string {
		return map[string]string{"KUBERNETES_SERVICE_HOST": u.Hostname(), "KUBERNETES_SERVICE_PORT": u.Port()}[name]
	}, mount)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
