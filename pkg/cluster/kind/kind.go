// Package kind makes, finds, repairs and deletes a Kubernetes cluster whose
// nodes are containers of this machine's engine, with the kind library.
//
// What is known about a cluster lives in it. kind's labels and the node image's name
// are on the containers. A file in the control plane's container says that it was
// finished. An annotation of its Node repeats the file for those who ask the API. So
// any zr on the machine can be killed at any point, and the next one knows what it
// finds.
package kind

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/cluster/statedir"
	"zr/pkg/cmdline"
)

// Port publishes a NodePort of the cluster on this machine's loopback address.
type Port struct {
	Service string `json:"service"` // whose port it is, for messages
	Host    int32  `json:"host"`
	Node    int32  `json:"node"`
}

// Options say what cluster is wanted.
type Options struct {
	Name  string // of the cluster; its kubeconfig context is kind-<Name>
	Nodes int    // one control plane, the rest are workers; 0 means 1
	// NodeImage is the image that the config asks for. It is compared with
	// what an existing cluster was made from; what a new one is made from is
	// up to EnsureNodeImage.
	NodeImage string
	// Ports are what a new cluster publishes. One that is there keeps its own.
	Ports []Port
	// Lines are the command lines that hints tell.
	Lines cmdline.Run
	// Engine holds the cluster. The zero value stands for the one that holds a
	// cluster of this name already, otherwise for what engine.Find prefers; it
	// is not looked for while the cluster answers.
	Engine engine.Engine
	// Kubeconfig is the path of zr's own file. Default: in statedir.
	Kubeconfig string
	// EnsureNodeImage puts the node image into the engine and returns its
	// name there. It is called only when a cluster must be made. Where it is
	// nil, kind pulls NodeImage, or its own default.
	EnsureNodeImage func(context.Context, engine.Engine) (ref string, err error)
	// OnNodeUp is called in a goroutine of its own as soon as containerd
	// answers in the nodes of a new cluster, while the control plane still
	// boots. Its context ends when the making fails or is cancelled; Ensure
	// then waits for it to return. Where the making ends well, the call may
	// outlast it. It may be nil.
	OnNodeUp func(context.Context, []cluster.Node)
}

type provider struct {
	opts Options

	mu      sync.Mutex
	engines []engine.Engine // those that answered
}

// Abilities of a kind cluster. Its nodes are containers of this machine, and run
// Linux on its architecture.
var Abilities = cluster.Abilities{Own: true, Loads: true, HostPorts: true, Platform: "linux/" + runtime.GOARCH}

// New returns the provider of one kind cluster. It does no I/O.
func New(opts Options) cluster.Provider {
	opts.Nodes = max(opts.Nodes, 1)
	return &provider{opts: opts}
}

// contextName is the name that kind gives the context of a cluster.
func contextName(cluster string) string { return "kind-" + cluster }

func (p *provider) kubeconfig() (string, error) {
	if p.opts.Kubeconfig != "" {
		return p.opts.Kubeconfig, nil
	}
	return statedir.Kubeconfig(p.opts.Name)
}

// wrap gives an error the place where it happened.
func (p *provider) wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s cluster %q: %w", doing, p.opts.Name, err)
}
