package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"zr/pkg/kube"
)

// apiPort is where the API server listens in a node: kubeadm's default.
const apiPort = "6443"

// apiName is a name for which kubeadm issues the certificate of every API server.
const apiName = "kubernetes"

// proofTimeout is how long the proof may take that an address is the node's: two
// round trips on this machine. Where a network of that range is not this
// machine's, nobody may ever answer.
const proofTimeout = 500 * time.Millisecond

// Route is the way from this machine to the NodePorts of a kind cluster. It goes
// straight to the node's address where this machine reaches the network of the engine,
// as it does on Linux unless the engine is rootless. Otherwise it is by the API.
type Route struct {
	config *kube.Config
	client *kube.Client // for port-forwards

	mu      sync.Mutex
	address string // of the node, proven; empty where it has to be looked for
}

// RouteOf returns the way to the cluster that the file of a kubeconfig names. It
// asks nobody yet.
func RouteOf(kubeconfig string) (*Route, error) {
	cfg, err := kube.Load(kubeconfig, "")
	if err != nil {
		return nil, err
	}
	return newRoute(cfg)
}

func newRoute(cfg *kube.Config) (*Route, error) {
	client, err := kube.New(cfg)
	if err != nil {
		return nil, err
	}
	return &Route{config: cfg, client: client}, nil
}

// Dial is a Dial.
func (r *Route) Dial(ctx context.Context, node int32) (io.ReadWriteCloser, error) {
	address, err := r.direct(ctx)
	if err != nil {
		return r.byAPI(ctx, node)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(int(node))))
	if err != nil {
		r.forget(address) // the node may have got another one when it was started again
		return nil, err
	}
	return c, nil
}

// byAPI forwards a port of kube-proxy's pod, which is on the network of its node,
// where a NodePort is served on the loopback address too.
func (r *Route) byAPI(ctx context.Context, node int32) (io.ReadWriteCloser, error) {
	const namespace = "kube-system"
	pod, err := r.client.RunningPod(ctx, namespace, "k8s-app=kube-proxy", "")
	if err != nil {
		return nil, err
	}
	return r.client.Open(ctx, namespace, pod, node)
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
	client, err := kube.New(r.config)
	if err != nil {
		return "", err
	}
	defer client.Close()
	address, err := nodeAddress(ctx, client)
	if err != nil {
		return "", err
	}
	if err := prove(ctx, client.Roots(), address); err != nil {
		return "", err
	}
	r.address = address
	return address, nil
}

// nodeAddress asks the API for the address of a control plane.
func nodeAddress(ctx context.Context, client *kube.Client) (string, error) {
	var nodes struct {
		Items []struct {
			Status struct {
				Addresses []struct{ Type, Address string }
			}
		}
	}
	query := url.Values{"labelSelector": {"node-role.kubernetes.io/control-plane"}}
	if err := client.Get(ctx, "api/v1/nodes", query, &nodes); err != nil {
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
func prove(ctx context.Context, roots *x509.CertPool, address string) error {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	if roots == nil {
		return errors.New("the kubeconfig has no certificate of the cluster")
	}
	d := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: apiName, MinVersion: tls.VersionTLS12}}
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(address, apiPort))
	if err != nil {
		return fmt.Errorf("the node is not at %s: %w", address, err)
	}
	return c.Close()
}
