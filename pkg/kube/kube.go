// Package kube is the one way of zr to a cluster that a kubeconfig names: requests
// and watches (of package lean), and port-forwards. Of client-go it takes what
// signs requests and what forwards ports.
package kube

import (
	"fmt"
	"net/http"

	"k8s.io/client-go/rest"

	"zr/pkg/kube/lean"
)

// Config says where a cluster is and how to sign in to it.
type Config = rest.Config

// Client speaks to one cluster. It is safe for concurrent use. Clients of equal
// Configs share their connections.
type Client struct {
	*lean.Client
	config *Config
}

// New returns the Client of a cluster. It does no I/O.
func New(cfg *Config) (*Client, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1                           // of the libraries: the server has limits of its own, which are fair
	cfg.WarningHandler = rest.NoWarnings{} // would be printed to stderr
	cfg.Timeout = 0                        // watches are long; each call has its context
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the cluster: %w", err)
	}
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("preparing the connection to the cluster: %w", err)
	}
	transport := client.Transport
	if transport == nil { // plain HTTP without credentials needs none
		transport = http.DefaultTransport
	}
	agent := cfg.UserAgent
	if agent == "" {
		agent = "zr"
	}
	return &Client{Client: lean.New(base, transport, agent), config: cfg}, nil
}
