package stack

import (
	"context"
	"fmt"
	"strings"

	"zr/pkg/cluster/aks"
	"zr/pkg/cmdline"
	"zr/pkg/config"
	"zr/pkg/deploy"
	"zr/pkg/diagnose"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/image"
	"zr/pkg/image/acr"
)

// pullRights say whether the nodes of a cluster may pull from the registry of the
// environment: not, for a reason; or that it is not known, for one; or, with
// neither, that they may.
type pullRights struct{ refused, unknown string }

// nodesMayPull wants nodes that may pull what this run is to build, before it does.
// Nobody is asked where nodes are given images, or have pulled from the registry for
// pods that are there.
func (p *project) nodesMayPull(ctx context.Context, on *connection) error {
	if p.can().Loads || len(p.builds) == 0 {
		return nil
	}
	host := p.registryHost()
	pulled, err := on.deployer.Pulled(ctx, p.rendered.Namespace, p.cfg.Cluster.Registry)
	if pulled || err != nil {
		return err
	}
	rights, err := p.askPullRights(ctx, on.deployer)
	switch {
	case err != nil:
		return err
	case rights.refused != "":
		return fault.Hint(fmt.Errorf("the nodes of %s may not pull from %s: %s; nothing was built or changed", p.clusterName(), host, rights.refused), p.pullFix(on.lines))
	case rights.unknown != "":
		p.sink.Emit(event.Notice{
			Text: fmt.Sprintf("whether the nodes of %s may pull from %s is not known: %s", p.clusterName(), host, rights.unknown),
			Hint: "where they may not, " + p.pullFix(on.lines),
		})
	}
	return nil
}

// askPullRights asks those who know, until one says yes: the registry itself about
// the pull secrets of the pods, and about anybody, and Azure about the nodes.
func (p *project) askPullRights(ctx context.Context, d *deploy.Deployer) (rights pullRights, err error) {
	repository := p.cfg.Cluster.Registry + "/" + p.builds[0].Service
	secrets, err := d.PullSecrets(ctx, p.rendered)
	if err != nil {
		rights.unknown = err.Error()
	}
	for _, secret := range secrets {
		if secret.Config == nil {
			rights.unknown = fmt.Sprintf("%s names the pull secret %q, which is not there", secret.Workload, secret.Name)
			continue
		}
		credentials, err := image.PullCredentials(secret.Config, repository)
		if err != nil {
			rights.unknown = err.Error()
		}
		for _, as := range credentials {
			may, err := image.Registry{}.Readable(ctx, repository, as)
			switch {
			case may || ctx.Err() != nil:
				return pullRights{}, ctx.Err()
			case err != nil:
				rights.unknown = err.Error()
			default:
				rights.refused = fmt.Sprintf("it does not accept the pull secret %q of %s", secret.Name, secret.Workload)
			}
		}
	}
	if may, _ := (image.Registry{}).Readable(ctx, repository, image.Credentials{}); may || ctx.Err() != nil {
		return pullRights{}, ctx.Err()
	}
	const none = "their pods have no pull secret for it"
	if p.cfg.Cluster.Provider == config.ProviderAKS && acr.Is(repository) {
		attached, err := aks.Attached(ctx, p.aksOptions(), p.registryHost())
		switch {
		case attached || ctx.Err() != nil:
			return pullRights{}, ctx.Err()
		case err != nil:
			return pullRights{unknown: err.Error()}, nil
		case rights == pullRights{}:
			return pullRights{refused: "it is not attached to the cluster, and " + none}, nil
		}
	}
	if rights == (pullRights{}) {
		rights.unknown = none + ", and the nodes may have credentials of their own"
	}
	return rights, nil
}

func (s *Stack) registryHost() string {
	host, _, _ := strings.Cut(s.cfg.Cluster.Registry, "/")
	return host
}

// pullFix is the command that lets the nodes pull.
func (p *project) pullFix(lines cmdline.Run) string {
	host := p.registryHost()
	if acr.Is(host) {
		return "`" + aks.AttachLine(p.aksOptions(), host) + "` lets them"
	}
	return "`" + lines.Kubectl("-n", p.rendered.Namespace, "create", "secret", "docker-registry", "registry", "--docker-server="+host, "--docker-username=USER", "--docker-password=PASSWORD") +
		"` lets them, with `imagePullSecrets: [{name: registry}]` in the pods or their service account"
}

// pullAdvice is that command for a service that is not healthy since its registry
// refused the nodes, and "" for any other reason.
func (p *project) pullAdvice(reason string, lines cmdline.Run) string {
	if p.can().Loads || !strings.Contains(reason, p.cfg.Cluster.Registry+"/") || !diagnose.PullRefused(reason) {
		return ""
	}
	return p.pullFix(lines)
}
