package kubecontext

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
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
- {name: tls, cluster: {server: "https://127.0.0.1:1"}}
contexts:
- {name: good, context: {cluster: good, user: me}}
- {name: other, context: {cluster: other, user: me}}
- {name: "arn:aws:eks:eu-west-1:1234:cluster/team", context: {cluster: good, user: me}}
- {name: lost cluster, context: {cluster: gone, user: me}}
- {name: lost user, context: {cluster: good, user: gone}}
- {name: no plugin, context: {cluster: tls, user: no-plugin}}
- {name: expired plugin, context: {cluster: tls, user: expired}}
- {name: silent plugin, context: {cluster: tls, user: silent}}
users:
- {name: me, user: {token: t}}
- {name: no-plugin, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, interactiveMode: Never, installHint: "it is in the SDK"}}}
- {name: expired, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, exit 255], interactiveMode: Never}}}
- {name: silent, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: sleep, args: ["1"], interactiveMode: Never}}}
`, "URL", url)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEnsure(t *testing.T) {
	var status atomic.Int64
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status.Load() == 0 {
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return
		}
		w.WriteHeader(int(status.Load()))
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
		{name: "not in the file", opts: Options{Allowed: "gone"}, err: "does not have it", hint: "it has arn:aws:eks:eu-west-1:1234:cluster/team, expired plugin, good, ", code: fault.Usage},
		{name: "refused credentials", opts: Options{Allowed: "good"}, status: 401, err: "credentials", hint: "sign in", code: fault.Failed},
		{name: "not ready", opts: Options{Allowed: "good"}, status: 500, err: "500", hint: "kubectl", code: fault.Failed},
		{name: "no answer", opts: Options{Allowed: "good", Timeout: 10 * time.Millisecond}, status: 0, err: "within 10ms", hint: "VPN", code: fault.Failed},
		{name: "a name of Amazon's", opts: Options{Allowed: "arn:aws:eks:eu-west-1:1234:cluster/team"}, status: 200},
		{name: "a cluster that is not there", opts: Options{Allowed: "lost cluster"}, err: `names the cluster "gone"`, hint: "again", code: fault.Usage},
		{name: "a user who is not there", opts: Options{Allowed: "lost user"}, err: `names the user "gone"`, hint: "again", code: fault.Usage},
		{name: "a plugin that is not installed", opts: Options{Allowed: "no plugin"}, err: "no-such-plugin not found", hint: "install no-such-plugin, by which the kubeconfig signs in (it is in the SDK), and try: kubectl --kubeconfig " + path + " --context 'no plugin' get ns", code: fault.Failed},
		{name: "a plugin that fails", opts: Options{Allowed: "expired plugin"}, err: "exit code 255", hint: "signs in by `sh -c 'exit 255'`", code: fault.Failed},
		{name: "a plugin that does not end", opts: Options{Allowed: "silent plugin", Timeout: 10 * time.Millisecond}, err: "within 10ms, the sign-in by `sleep 1` included", hint: "end by itself", code: fault.Failed},
		{name: "nobody there", opts: Options{Allowed: "other"}, err: "refused", hint: "kubectl", code: fault.Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status.Store(int64(tt.status))
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
