package stack

import (
	"context"
	"slices"
	"strings"

	"zr/pkg/deploy"
	"zr/pkg/image"
	"zr/pkg/livesync/layers"
)

// agentRepository is where the registry has the agent, beside the services.
const agentRepository = "zr-agent"

// mender returns what pushes by what has changed, where the config wants that, and what
// ends it. It is nil where layers travel as a whole: without a cluster, and on one whose
// nodes cannot run the agent of this machine.
func (p *project) mender(on *connection) (image.Mender, func()) {
	if !p.cfg.Cluster.DeltaPush || on == nil || !slices.Contains(on.platforms, hostPlatform) {
		return nil, func() {}
	}
	m := &layers.Mender{Pod: func(ctx context.Context) (*layers.Pod, error) {
		agent, err := p.pushAgent(ctx)
		if err != nil {
			return nil, err
		}
		return layers.Start(ctx, layers.Options{
			Client: on.cluster.Client, Namespace: p.rendered.Namespace, Image: agent,
			Architecture: strings.TrimPrefix(hostPlatform, "linux/"), PullSecrets: deploy.PullSecretNames(p.rendered),
		})
	}}
	return m, m.Close
}

// pushAgent has the registry hold the agent, and returns by which name.
func (p *project) pushAgent(ctx context.Context) (string, error) {
	path, err := agentPath()
	if err != nil {
		return "", err
	}
	img, hash, err := p.deps(nil).Agent(ctx, path, hostPlatform)
	if err != nil {
		return "", err
	}
	name, _, err := p.pusher().Push(ctx, img, p.cfg.Cluster.Registry+"/"+agentRepository, hash)
	return name, err
}
