// Package cluster is the Kubernetes cluster that an environment runs on. A
// Provider makes or finds it: package kind makes one on this machine, package
// kubecontext finds one that a kubeconfig names, package aks one in Azure.
package cluster

import (
	"context"
	"errors"
	"io"

	"zr/pkg/event"
	"zr/pkg/kube"
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
	// Client speaks to its API server, which has answered it.
	Client *kube.Client
	// Nodes are the machines into which zr may reach, control plane first.
	Nodes []Node
	// Ports of this machine lead to NodePorts of the cluster, as long as it is
	// there: a container's ports are fixed when it is made.
	Ports map[int32]int32
}
