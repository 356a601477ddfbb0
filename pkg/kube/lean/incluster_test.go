package lean

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"zr/pkg/kube/object"
)

// apiServer is an HTTPS server with a certificate of its own, and a folder
// like the one that the kubelet mounts.
type apiServer struct {
	*httptest.Server
	t     *testing.T
	mount string
}

func newAPIServer(t *testing.T, h http.HandlerFunc) *apiServer {
	t.Helper()
	s := &apiServer{Server: httptest.NewTLSServer(h), t: t, mount: t.TempDir()}
	t.Cleanup(s.Close)
	s.write("namespace", "zr-test\n")
	s.write("token", "first\n")
	s.write("ca.crt", s.ca())
	return s
}

func (s *apiServer) ca() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

func (s *apiServer) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.mount, name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *apiServer) client() *Client {
	c, _ := s.inCluster()
	return c
}

func (s *apiServer) inCluster() (*Client, string) {
	s.t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	c, namespace, err := InCluster(func(name string) string {
		return map[string]string{"KUBERNETES_SERVICE_HOST": u.Hostname(), "KUBERNETES_SERVICE_PORT": u.Port()}[name]
	}, s.mount, "zr-test")
	if err != nil {
		s.t.Fatal(err)
	}
	return c, namespace
}

func TestNotInACluster(t *testing.T) {
	nothing := func(string) string { return "" }
	if _, _, err := InCluster(nothing, t.TempDir(), ""); !errors.Is(err, ErrNotInCluster) {
		t.Errorf("got %v", err)
	}
	// A pod whose service account's token is not mounted.
	if _, _, err := InCluster(func(string) string { return "443" }, t.TempDir(), ""); !errors.Is(err, ErrNotInCluster) {
		t.Errorf("got %v", err)
	}
}

func TestARotatedTokenIsUsed(t *testing.T) {
	var got []string
	s := newAPIServer(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization")+" "+r.URL.Path)
		_, _ = w.Write([]byte(`{"items":[{"metadata":{"name":"web","creationTimestamp":null}}]}`))
	})
	c, namespace := s.inCluster()
	in := ListOptions{Namespace: namespace}
	pods, _, err := c.List(t.Context(), object.Pods, in)
	if err != nil || len(pods) != 1 || pods[0].Metadata().Name != "web" || namespace != "zr-test" {
		t.Fatalf("got %v, %v", pods, err)
	}
	s.write("token", "second\n")
	if _, _, err := c.List(t.Context(), object.Deployments, in); err != nil {
		t.Fatal(err)
	}
	want := []string{"Bearer first /api/v1/namespaces/zr-test/pods", "Bearer second /apis/apps/v1/namespaces/zr-test/deployments"}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestARotatedCAIsTrusted(t *testing.T) {
	s := newAPIServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(`{"items":[]}`)) })
	c := s.client()
	s.write("ca.crt", otherCA)
	if _, _, err := c.List(t.Context(), object.StatefulSets, ListOptions{}); !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Fatalf("got %v, want an untrusted certificate", err)
	}
	s.write("ca.crt", s.ca())
	if _, _, err := c.List(t.Context(), object.StatefulSets, ListOptions{}); err != nil {
		t.Fatal(err)
	}
	s.write("ca.crt", "nothing")
	if _, _, err := c.List(t.Context(), object.StatefulSets, ListOptions{}); err == nil {
		t.Fatal("a CA without certificates was taken")
	}
}

func TestRefusals(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	for _, code := range []int{401, 403, 429, 500, 302} {
		s := newAPIServer(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(code)
			_, _ = w.Write([]byte(`{"kind":"Status","message":"pods is forbidden"}`))
		})
		_, _, err := s.client().List(t.Context(), object.Pods, ListOptions{Namespace: "ns"})
		if !HasCode(err, code) || Refused(err) != (code == 401 || code == 403) || err.Error() != `listing pods in namespace "ns": pods is forbidden` {
			t.Errorf("%d: got %v", code, err)
		}
	}
}

func TestADeadlineIsKept(t *testing.T) {
	release := make(chan struct{})
	s := newAPIServer(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, _, err := s.client().List(ctx, object.Pods, ListOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestWatch tells a change, a deletion and a bookmark, and then that the version
// is too old.
func TestWatch(t *testing.T) {
	s := newAPIServer(t, func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); q.Get("watch") != "true" || q.Get("resourceVersion") != "1" || q.Get("fieldSelector") != "a=b" {
			t.Errorf("asked for %s", r.URL)
		}
		_, _ = w.Write([]byte(`{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"2"}}}
			{"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"3"}}}
			{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"4"}}}
			{"type":"ERROR","object":{"code":410,"message":"too old"}}`))
	})
	var told []string
	version, err := s.client().Watch(t.Context(), object.Pods, "1", ListOptions{Namespace: "ns", Fields: "a=b"}, func(c Change) {
		told = append(told, fmt.Sprint(c.Object.Metadata().Name, c.Deleted))
	})
	if !HasCode(err, http.StatusGone) || version != "4" || !slices.Equal(told, []string{"afalse", "atrue"}) {
		t.Errorf("told %q until %s: %v", told, version, err)
	}
	empty := newAPIServer(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := empty.client().Watch(t.Context(), object.Pods, "1", ListOptions{}, nil); !errors.Is(err, ErrEndedAtOnce) {
		t.Errorf("of a watch that ends at once: %v", err)
	}
}
