package kind

import (
	"context"
	"sync"

	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
)

// nodesUp waits until containerd answers in every node.
func (p *provider) nodesUp(ctx context.Context, e engine.Engine) ([]cluster.Node, error) {
	list, err := containers(ctx, e, p.opts.Name)
	if err != nil {
		return nil, err
	}
	var nodes []cluster.Node
	for _, c := range list {
		n := node{c.name, e}
		// One command that waits in the node is cheaper than many that ask.
		if err := n.Run(ctx, nil, nil, "sh", "-c", "until ctr version >/dev/null 2>&1; do sleep 0.1; done"); err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// nodeUp calls OnNodeUp once.
type nodeUp struct {
	call   func(context.Context, []cluster.Node)
	once   sync.Once
	cancel context.CancelFunc
	done   chan struct{}
}

// start calls in a goroutine once nodes has returned. The call may outlast the
// making of the cluster: abort ends it, and the end of ctx does not.
func (n *nodeUp) start(ctx context.Context, nodes func(context.Context) ([]cluster.Node, error)) {
	if n.call == nil {
		return
	}
	n.once.Do(func() {
		ctx, n.cancel = context.WithCancel(context.WithoutCancel(ctx))
		n.done = make(chan struct{})
		go func() {
			defer close(n.done)
			if up, err := nodes(ctx); err == nil {
				n.call(ctx, up)
			}
		}()
	})
}

// abort ends the call's context and waits for it to return.
func (n *nodeUp) abort() {
	n.once.Do(func() {}) // kind is done: nothing starts any more
	if n.cancel != nil {
		n.cancel()
		<-n.done
	}
}
