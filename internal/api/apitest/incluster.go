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
	settings := Mount(t, srv)
	client, err := kube.InCluster(func(name string) string { return settings[name] }, settings["SERVICE_ACCOUNT_DIR"])
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Mount returns the settings by which an api finds a server so.
func Mount(t testing.TB, srv *httptest.Server) map[string]string {
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
	return map[string]string{"KUBERNETES_SERVICE_HOST": u.Hostname(), "KUBERNETES_SERVICE_PORT": u.Port(), "SERVICE_ACCOUNT_DIR": mount}
}
