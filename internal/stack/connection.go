package stack

import (
	"context"
	"errors"

	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/cluster/route"
	"zr/pkg/cmdline"
	"zr/pkg/deploy"
	"zr/pkg/diagnose"
	"zr/pkg/fault"
	"zr/pkg/health"
	"zr/pkg/image"
)

// connection is a cluster that answered, with what applies an environment there and
// asks for its health. It is never changed, and any goroutine may use it until close.
type connection struct {
	cluster   *cluster.Cluster
	provider  cluster.Provider // which found or made the cluster
	deployer  *deploy.Deployer
	gate      *health.Gate
	lines     cmdline.Run // that hints tell, about the environment on this cluster
	platforms []string    // of the images for its nodes, where only they could say it
}

// connect makes the parts that make requests to the cluster c.
func (p *project) connect(provider cluster.Provider, c *cluster.Cluster) (*connection, error) {
	deployer, err := p.deployerOn(c, p.rendered.Namespace)
	if err != nil {
		return nil, err
	}
	var nodes health.Nodes
	if len(c.Nodes) > 0 {
		nodes = func(ctx context.Context, pods []string) (map[string]diagnose.View, error) {
			return route.Look(ctx, c.Nodes, pods)
		}
	}
	return &connection{cluster: c, provider: provider, deployer: deployer, gate: health.New(c.Client, nodes), lines: linesOn(p.cfg, c)}, nil
}

// close ends the port-forwards of the gate, and lets go of the connections to the
// API server. A nil connection has none.
func (c *connection) close() {
	if c != nil {
		c.gate.Close()
		c.cluster.Client.Close()
	}
}

// nodes are the machines into which images are loaded.
func (c *connection) nodes() []image.Node { return imageNodes(c.cluster.Nodes) }

func imageNodes(nodes []cluster.Node) []image.Node {
	out := make([]image.Node, len(nodes))
	for i, n := range nodes {
		out[i] = n
	}
	return out
}

// find renders the overlay and connects to the cluster, which has to be there.
func (s *Stack) find(ctx context.Context) (*project, *connection, error) {
	s, err := s.unseal(ctx)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.render(ctx)
	if err == nil && p.rendered.SecretsClass != "" {
		err = p.onlyByClass()
	}
	if err != nil {
		return nil, nil, err
	}
	on, err := p.attach(ctx)
	if err != nil {
		return nil, nil, err
	}
	if p, err = p.borrowSecrets(ctx, on); err != nil {
		on.close()
		return nil, nil, err
	}
	return p, on, nil
}

// attach connects to the cluster, which has to be there.
func (p *project) attach(ctx context.Context) (*connection, error) {
	provider := p.provider(nil)
	c, err := provider.Find(ctx)
	switch {
	case errors.Is(err, cluster.ErrNotFound):
		return nil, fault.Hint(err, "`"+p.lines.Zr("up")+"` brings it up")
	case errors.Is(err, engine.ErrNone):
		return nil, fault.Hint(err, "`zr doctor` looks for what this machine lacks")
	case err != nil:
		return nil, err // what else is the matter, the provider knows
	}
	return p.connect(provider, c)
}
