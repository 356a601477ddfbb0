// Package cluster is the Kubernetes cluster that an environment runs on. A
// Provider makes or finds it: package kind makes one on this machine, package
// kubecontext finds one that a kubeconfig names, package aks one in Azure.
package cluster

import (
	"context"
	"errors"
	"io"
	"net/http"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"zr/pkg/event"
)

// Step is the name under which providers emit event.StepProgress. Whoever
// calls Ensure or Delete opens and closes the step.
const Step = "cluster"

// ErrNotFound says that there is no such cluster.
var ErrNotFound = errors.New("no such cluster")

// ErrDown says that the cluster exists and does not answer: its nodes are
// stopped, or its API server is. Ensure brings a kind cluster back.
var ErrDown = errors.New("cluster is down")

// Provider makes, finds and deletes one cluster. Its methods are safe for
// concurrent use, also by several processes.
type Provider interface {
	// Ensure returns the cluster when it can be used: found, brought back or
	// made. A cancelled Ensure leaves nothing half made.
	Ensure(ctx context.Context, sink event.Sink) (*Cluster, error)
	// Find returns the cluster if it answers. It changes nothing. The error is
	// ErrNotFound, ErrDown, or says what else is the matter.
	Find(ctx context.Context) (*Cluster, error)
	// Delete removes the cluster and everything in it. A cluster that is not
	// there is no error.
	Delete(ctx context.Context, sink event.Sink) error
}

// Node is a machine of the cluster into which zr may reach. Only a cluster on
// this machine has any.
type Node interface {
	Name() string
	// Run runs a command in the node. stdin and stdout may be nil. What the
	// command writes to stderr is part of the error.
	Run(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error
}

// Cluster is a cluster that answers.
type Cluster struct {
	Name     string // of the kind or AKS cluster, or the name of the context
	Provider string // "kind", "context" or "aks"
	Context  string // the kubeconfig context to use
	// Kubeconfig is the path of the file that holds Context. It is empty where
	// the user's own files do, as $KUBECONFIG and ~/.kube/config name them.
	Kubeconfig string
	// Authorize puts on each request who sends it, in place of the plugin that
	// the kubeconfig names. It is nil where the kubeconfig says it all.
	Authorize func(http.RoundTripper) http.RoundTripper
	// Nodes are the machines into which zr may reach, control plane first.
	Nodes []Node
	// Ports of this machine lead to NodePorts of the cluster, as long as it is
	// there: a container's ports are fixed when it is made.
	Ports map[int32]int32
}

// RESTConfig returns how to talk to the cluster. The caller may change it.
func (c *Cluster) RESTConfig() (*rest.Config, error) {
	cfg, err := LoadRESTConfig(c.Kubeconfig, c.Context)
	if err == nil && c.Authorize != nil {
		cfg.ExecProvider = nil
		cfg.Wrap(c.Authorize)
	}
	return cfg, err
}

// LoadRESTConfig returns how to talk to the cluster of a kubeconfig context.
// An empty path stands for $KUBECONFIG and ~/.kube/config.
func LoadRESTConfig(path, context string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = path
	cfg, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules,
		&clientcmd.ConfigOverrides{CurrentContext: context}).ClientConfig()
	if err != nil {
		return nil, err
	}
	// The API server has its own fairness. client-go's limit of 5 requests a
	// second only stretches an apply of thirty objects to six seconds.
	cfg.QPS = -1
	cfg.UserAgent = "zr"
	return cfg, nil
}
