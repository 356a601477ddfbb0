// Package kube reads workloads and pods from the Kubernetes API. It is a few
// GET requests over net/http instead of client-go: the typed clients triple
// the size of the binary and double the time of each rebuild of the api.
package kube

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// MountPath is where the kubelet mounts the credentials of a pod's service
// account.
const MountPath = "/var/run/secrets/kubernetes.io/serviceaccount"

// ErrNotInCluster says that this process does not run in a pod with a
// service account.
var ErrNotInCluster = errors.New("not in a cluster")

// credentials are read anew for each request, which costs a few microseconds
// on a tmpfs: the kubelet rotates the token every hour or so, and the CA now
// and then.
type credentials struct {
	mount string

	ca        []byte // that transport trusts
	transport *http.Transport
}

// load returns the current token and a transport that trusts the current CA.
// It is not safe for concurrent use.
func (c *credentials) load() (token string, transport *http.Transport, err error) {
	raw, err := os.ReadFile(filepath.Join(c.mount, "token"))
	if err != nil {
		return "", nil, fmt.Errorf("reading the service account's token: %w", err)
	}
	ca, err := os.ReadFile(filepath.Join(c.mount, "ca.crt"))
	if err != nil {
		return "", nil, fmt.Errorf("reading the cluster's CA: %w", err)
	}
	if c.transport == nil || !bytes.Equal(ca, c.ca) {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(ca) {
			return "", nil, errors.New("reading the cluster's CA: no certificate in it")
		}
		if c.transport != nil {
			c.transport.CloseIdleConnections()
		}
		c.ca, c.transport = ca, newTransport(pool)
	}
	return strings.TrimSpace(string(raw)), c.transport, nil
}

func newTransport(roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		// No proxy: the API server is inside the cluster.
		DialContext:           (&net.Dialer{Timeout: time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   2 * time.Second,
		ResponseHeaderTimeout: 3 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   2,
		IdleConnTimeout:       90 * time.Second,
	}
}
