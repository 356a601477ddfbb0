package kubecontext

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zr/pkg/event"
	"zr/pkg/fault"
)

// kubeconfig writes one with the contexts "good", which leads to url, and
// "other", which leads nowhere.
func kubeconfig(t *testing.T, url string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	text := strings.ReplaceAll(`apiVersion: v1
kind: Config
current-context: other
clusters:
- {name: good, cluster: {server: "URL"}}
- {name: other, cluster: {server: "http://127.0.0.1:1"}}
contexts:
- {name: good, context: {cluster: good, user: me}}
- {name: other, context: {cluster: other, user: me}}
users:
- {name: me, user: {token: t}}
`, "URL", url)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEnsure(t *testing.T) {
	status := http.StatusOK
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status == 0 {
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	defer close(release)
	path := kubeconfig(t, server.URL)

	tests := []struct {
		name   string
		opts   Options
		status int
		err    string // in the error; empty for success
		hint   string
		code   int
	}{
		{name: "the allowed one by default", opts: Options{Allowed: "good"}, status: 200},
		{name: "the allowed one by name", opts: Options{Context: "good", Allowed: "good"}, status: 200},
		{name: "readiness is not for everybody", opts: Options{Allowed: "good"}, status: 403},
		{name: "another", opts: Options{Context: "other", Allowed: "good"}, err: `only "good"`, hint: "cluster.context", code: fault.Usage},
		{name: "none allowed", opts: Options{Context: "good"}, err: "allows none", hint: "cluster.context", code: fault.Usage},
		{name: "not in the file", opts: Options{Allowed: "gone"}, err: "does not have it", hint: "it has good, other", code: fault.Usage},
		{name: "refused credentials", opts: Options{Allowed: "good"}, status: 401, err: "credentials", hint: "sign in", code: fault.Failed},
		{name: "not ready", opts: Options{Allowed: "good"}, status: 500, err: "500", hint: "kubectl", code: fault.Failed},
		{name: "no answer", opts: Options{Allowed: "good", Timeout: 10 * time.Millisecond}, status: 0, err: "within 10ms", hint: "VPN", code: fault.Failed},
		{name: "nobody there", opts: Options{Allowed: "other"}, err: "refused", hint: "kubectl", code: fault.Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status = tt.status
			tt.opts.Kubeconfig = path
			c, err := New(tt.opts).Ensure(context.Background(), event.Discard)
			if tt.err == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got := c.Client.URL().String(); strings.TrimSuffix(got, "/") != server.URL {
					t.Errorf("the client leads to %v", got)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(fault.HintOf(err), tt.hint) || fault.Code(err) != tt.code {
				t.Errorf("err (%d) = %v\nhint: %s", fault.Code(err), err, fault.HintOf(err))
			}
		})
	}
}

func TestDefaultKubeconfig(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	t.Setenv("KUBECONFIG", kubeconfig(t, server.URL))
	if _, err := New(Options{Allowed: "good"}).Find(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestDeleteRefuses(t *testing.T) {
	err := New(Options{Allowed: "good"}).Delete(context.Background(), event.Discard)
	if fault.Code(err) != fault.Usage {
		t.Errorf("Delete: %v", err)
	}
}
