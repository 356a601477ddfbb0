// Package kube is the one way of zr to a cluster that a kubeconfig names: requests,
// lists, watches and logs (of package lean), objects of any kind, and port-forwards.
// Of client-go it takes what reads kubeconfigs, signs requests, knows the types of
// patches, and forwards ports.
package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/transport"

	"zr/pkg/kube/lean"
)

// Config says where a cluster is and how to sign in to it.
type Config = rest.Config

// Load returns the Config of a kubeconfig's context; empty stands for the current
// one. An empty path stands for $KUBECONFIG and ~/.kube/config.
func Load(path, context string) (*Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = path
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules,
		&clientcmd.ConfigOverrides{CurrentContext: context}).ClientConfig()
}

// Client speaks to one cluster, over connections of its own. It is safe for
// concurrent use.
type Client struct {
	*lean.Client
	config *Config
	pool   *http.Transport
}

// New returns the Client of a cluster. It does no I/O.
func New(cfg *Config) (*Client, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1                           // of the libraries: the server has limits of its own, which are fair
	cfg.WarningHandler = rest.NoWarnings{} // would be printed to stderr
	cfg.Timeout = 0                        // watches are long; each call has its context
	if cfg.UserAgent == "" {
		cfg.UserAgent = "zr"
	}
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the cluster: %w", err)
	}
	pool, signed, err := transportFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("preparing the connection to the cluster: %w", err)
	}
	return &Client{Client: lean.New(base, signed, cfg.UserAgent), config: cfg, pool: pool}, nil
}

// transportFor returns the connections of a Client, and what signs the requests over
// them. client-go would make the first by itself, but with 4 MiB for what waits in each
// of the logs that are followed at once. And it would make one for all Clients of a
// cluster: who asks whether a cluster is back must not ask a connection of before.
func transportFor(cfg *Config) (pool *http.Transport, signed http.RoundTripper, err error) {
	of, err := cfg.TransportConfig()
	if err != nil {
		return nil, nil, err
	}
	tls, err := transport.TLSConfigFor(of)
	if err != nil {
		return nil, nil, err
	}
	pool = lean.NewTransport(tls)
	pool.DisableCompression = of.DisableCompression
	if pool.Proxy = of.Proxy; pool.Proxy == nil {
		pool.Proxy = http.ProxyFromEnvironment
	}
	if of.DialHolder != nil {
		pool.DialContext = of.DialHolder.Dial
	}
	signed, err = transport.HTTPWrappersForConfig(of, pool)
	return pool, signed, err
}

// Close lets go of the connections that no request uses. What the Client is asked
// afterwards makes new ones.
func (c *Client) Close() { c.pool.CloseIdleConnections() }

// Roots returns the authorities that the kubeconfig names for the server's
// certificate, or nil.
func (c *Client) Roots() *x509.CertPool {
	if c.pool.TLSClientConfig == nil {
		return nil
	}
	return c.pool.TLSClientConfig.RootCAs
}

// Ready asks the API server whether it is ready and knows the user, which it does
// also where the user may not see the answer. Errors are those of Get; of one that is
// not ready yet they name what it waits for.
func (c *Client) Ready(ctx context.Context) error {
	err := c.Get(ctx, "readyz", nil, nil)
	var status *lean.StatusError
	switch {
	case lean.HasCode(err, http.StatusForbidden):
		return nil
	case errors.As(err, &status) && strings.Contains(status.Message, "readyz check failed"):
		missing := *status
		missing.Message = "the API server is not ready yet: it waits for " + strings.Join(failedChecks(status.Message), ", ")
		return &missing
	}
	return err
}

// failedChecks are the names of those in a list such as "[+]ping ok\n[-]etcd failed: reason withheld".
func failedChecks(list string) (names []string) {
	for line := range strings.Lines(list) {
		if name, failed := strings.CutPrefix(line, "[-]"); failed {
			name, _, _ = strings.Cut(name, " failed")
			names = append(names, name)
		}
	}
	return names
}
