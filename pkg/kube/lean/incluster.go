package lean

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// MountPath is where the kubelet mounts the credentials of a pod's service
// account.
const MountPath = "/var/run/secrets/kubernetes.io/serviceaccount"

// ErrNotInCluster says that this process does not run in a pod with a
// service account.
var ErrNotInCluster = errors.New("not in a cluster")

// InCluster returns the Client of the pod that this process runs in, and the
// pod's namespace; or ErrNotInCluster. Getenv is os.Getenv; mount is MountPath.
func InCluster(getenv func(string) string, mount, userAgent string) (c *Client, namespace string, err error) {
	host, port := getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, "", ErrNotInCluster
	}
	ns, err := os.ReadFile(filepath.Join(mount, "namespace"))
	if os.IsNotExist(err) {
		return nil, "", ErrNotInCluster
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading the service account's namespace: %w", err)
	}
	base := &url.URL{Scheme: "https", Host: net.JoinHostPort(host, port)}
	return New(base, &serviceAccount{mount: mount}, userAgent), strings.TrimSpace(string(ns)), nil
}

// serviceAccount signs requests with what is mounted. That is read anew for each
// request, which costs a few microseconds on a tmpfs: the kubelet rotates the
// token every hour or so, and the CA now and then.
type serviceAccount struct {
	mount string

	mu        sync.Mutex
	ca        []byte // that transport trusts
	transport *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (a *serviceAccount) RoundTrip(req *http.Request) (*http.Response, error) {
	token, transport, err := a.load()
	if err != nil {
		return nil, err
	}
	signed := req.Clone(req.Context())
	signed.Header.Set("Authorization", "Bearer "+token)
	return transport.RoundTrip(signed)
}

// load returns the current token and a transport that trusts the current CA.
func (a *serviceAccount) load() (token string, transport *http.Transport, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if token, err = Token(a.mount); err != nil {
		return "", nil, err
	}
	ca, err := os.ReadFile(filepath.Join(a.mount, "ca.crt"))
	if err != nil {
		return "", nil, fmt.Errorf("reading the cluster's CA: %w", err)
	}
	if a.transport == nil || !bytes.Equal(ca, a.ca) {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(ca) {
			return "", nil, errors.New("reading the cluster's CA: no certificate in it")
		}
		if a.transport != nil {
			a.transport.CloseIdleConnections()
		}
		a.ca, a.transport = ca, newTransport(pool)
	}
	return token, a.transport, nil
}

// Token returns the current token of the service account that is mounted in a folder.
func Token(mount string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(mount, "token"))
	if err != nil {
		return "", fmt.Errorf("reading the service account's token: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// newTransport returns one for an API server inside of the cluster: it is near,
// and behind no proxy.
func newTransport(roots *x509.CertPool) *http.Transport {
	t := NewTransport(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	t.DialContext = (&net.Dialer{Timeout: time.Second, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = 2 * time.Second
	return t
}
