package kube

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"zr/internal/api/reason"
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
	s.t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := InCluster(func(name string) string {
		return map[string]string{"KUBERNETES_SERVICE_HOST": u.Hostname(), "KUBERNETES_SERVICE_PORT": u.Port()}[name]
	}, s.mount)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func TestNotInACluster(t *testing.T) {
	nothing := func(string) string { return "" }
	if _, err := InCluster(nothing, t.TempDir()); !errors.Is(err, ErrNotInCluster) {
		t.Errorf("got %v", err)
	}
	// A pod whose service account's token is not mounted.
	if _, err := InCluster(func(string) string { return "443" }, t.TempDir()); !errors.Is(err, ErrNotInCluster) {
		t.Errorf("got %v", err)
	}
}

func TestARotatedTokenIsUsed(t *testing.T) {
	var got []string
	s := newAPIServer(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization")+" "+r.URL.Path)
		_, _ = w.Write([]byte(`{"items":[{"metadata":{"name":"web","creationTimestamp":null}}]}`))
	})
	c := s.client()
	pods, err := c.Pods(t.Context())
	if err != nil || len(pods) != 1 || pods[0].Metadata.Name != "web" || c.Namespace() != "zr-test" {
		t.Fatalf("got %v, %v", pods, err)
	}
	s.write("token", "second\n")
	if _, err := c.Deployments(t.Context()); err != nil {
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
	if _, err := c.StatefulSets(t.Context()); reason.Of(err) != reason.Certificate {
		t.Fatalf("got %v, want an untrusted certificate", err)
	}
	s.write("ca.crt", s.ca())
	if _, err := c.StatefulSets(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.write("ca.crt", "nothing")
	if _, err := c.StatefulSets(t.Context()); err == nil {
		t.Fatal("a CA without certificates was taken")
	}
}

func TestRefusals(t *testing.T) {
	for status, want := range map[int]string{401: reason.Auth, 403: reason.Forbidden, 429: reason.Busy, 500: reason.Error, 302: reason.Error} {
		elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
		defer elsewhere.Close()
		s := newAPIServer(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"kind":"Status","message":"pods is forbidden"}`))
		})
		_, err := s.client().Pods(t.Context())
		if reason.Of(err) != want {
			t.Errorf("%d: got %q (%v), want %q", status, reason.Of(err), err, want)
		}
	}
}

func TestADeadlineIsKept(t *testing.T) {
	release := make(chan struct{})
	s := newAPIServer(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.client().Pods(ctx); reason.Of(err) != reason.Timeout {
		t.Errorf("got %v", err)
	}
}
