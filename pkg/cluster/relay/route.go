package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"zr/pkg/cluster"
)

// apiPort is where the API server listens in a node: kubeadm's default.
const apiPort = "6443"

// apiName is a name for which kubeadm issues the certificate of every API server.
const apiName = "kubernetes"

// proofTimeout is how long the proof may take that an address is the node's: two
// round trips on this machine. Where a network of that range is not this
// machine's, nobody may ever answer.
const proofTimeout = 500 * time.Millisecond

// Route is the way from this machine to the NodePorts of a kind cluster: straight
// to the node's address where this machine reaches the network of the engine, as
// it does on Linux unless the engine is rootless. Otherwise it is Through.
type Route struct {
	Config *rest.Config
	// Through dials a NodePort where the node's address cannot be reached.
	Through Dial

	mu      sync.Mutex
	address string // of the node, proven; empty where it has to be looked for
}

// Dial is a Dial.
func (r *Route) Dial(ctx context.Context, node int32) (io.ReadWriteCloser, error) {
	address, err := r.direct(ctx)
	if err != nil {
		return r.Through(ctx, node)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(int(node))))
	if err != nil {
		r.forget(address) // the node may have got another one when it was started again
		return nil, err
	}
	return c, nil
}

func (r *Route) forget(address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.address == address {
		r.address = ""
	}
}

// direct returns the address of the node, if it is proven to be the node's: an
// address of a container's network may be that of another machine elsewhere.
func (r *Route) direct(ctx context.Context) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.address != "" {
		return r.address, nil
	}
	address, err := nodeAddress(ctx, r.Config)
	if err != nil {
		return "", err
	}
	if err := prove(ctx, r.Config, address); err != nil {
		return "", err
	}
	r.address = address
	return address, nil
}

// nodeAddress asks the API for the address of a control plane.
func nodeAddress(ctx context.Context, cfg *rest.Config) (string, error) {
	api, err := cluster.NewAPI(cfg)
	if err != nil {
		return "", err
	}
	defer api.Close()
	var nodes struct {
		Items []struct {
			Status struct {
				Addresses []struct{ Type, Address string }
			}
		}
	}
	if err := api.Get(ctx, "/api/v1/nodes?labelSelector=node-role.kubernetes.io%2Fcontrol-plane", &nodes); err != nil {
		return "", err
	}
	for _, n := range nodes.Items {
		for _, a := range n.Status.Addresses {
			if a.Type == "InternalIP" {
				return a.Address, nil
			}
		}
	}
	return "", errors.New("no control plane of the cluster has an address")
}

// prove finds out that the API server of this very cluster answers at an address.
func prove(ctx context.Context, cfg *rest.Config, address string) error {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	trust, err := rest.TLSConfigFor(cfg)
	if err != nil {
		return err
	}
	if trust == nil || trust.RootCAs == nil {
		return errors.New("the kubeconfig has no certificate of the cluster")
	}
	d := tls.Dialer{Config: &tls.Config{RootCAs: trust.RootCAs, ServerName: apiName, MinVersion: tls.VersionTLS12}}
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(address, apiPort))
	if err != nil {
		return fmt.Errorf("the node is not at %s: %w", address, err)
	}
	return c.Close()
}
