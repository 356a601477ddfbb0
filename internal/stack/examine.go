package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"zr/pkg/cluster"
	"zr/pkg/cluster/doctor"
	"zr/pkg/devattach"
	"zr/pkg/fault"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// Examine says how the machine, the project and the cluster are. It changes nothing, and
// goes on where one of them is not as it should be.
func (s *Stack) Examine(ctx context.Context) ([]devattach.Finding, error) {
	var found []doctor.Check
	opened, sealed := s.unseal(ctx)
	if sealed == nil {
		s = opened
	}
	p, err := s.render(ctx)
	if err != nil {
		found = append(found, doctor.Check{Name: "configuration", Status: doctor.Fail, Detail: err.Error(), Hint: fault.HintOf(err), Command: linesOf(s.cfg).Zr("config", "validate")})
		p = s.unrendered()
	} else {
		found = append(found, doctor.Check{Name: "configuration", Status: doctor.OK, Detail: s.cfg.Name() + " and its manifests are valid"})
	}
	c, missing := p.provider(nil).Find(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	needs, err := p.needs(missing != nil)
	if err != nil {
		return nil, err
	}
	found = append(doctor.Run(ctx, needs), found...)
	if missing != nil {
		c = nil
	}
	found = append(found, p.checkSecrets(ctx, c, sealed), s.checkCluster(missing), checkImages())
	if missing == nil {
		found = append(found, checkPolicies(ctx, c))
	}
	findings := make([]devattach.Finding, len(found))
	for i, f := range found {
		findings[i] = devattach.Finding{Name: f.Name, Status: string(f.Status), Detail: f.Detail, Hint: f.Hint, Command: f.Command}
		if f.Status != doctor.OK && f.Fix != nil {
			findings[i].Command = linesOf(s.cfg).Zr("doctor", "--fix")
		}
	}
	return findings, ctx.Err()
}

// checkSecrets looks at where the secrets are, without a word on their values. c is the
// cluster, nil where it does not answer, and sealed says why their file could not be
// opened.
func (p *project) checkSecrets(ctx context.Context, c *cluster.Cluster, sealed error) doctor.Check {
	check := doctor.Check{Name: "secrets", Status: doctor.OK}
	if p.rendered != nil && p.rendered.SecretsClass != "" {
		check.Detail = fmt.Sprintf("SecretProviderClass %q makes them", p.rendered.SecretsClass)
		return check
	}
	if p.cfg.SecretsMissing && c != nil && p.rendered != nil && !p.can().Own {
		if theirs, known := p.checkLent(ctx, c); known {
			return theirs
		}
	}
	switch mock := p.cfg.MockSecrets(); {
	case sealed != nil:
		check.Status, check.Detail, check.Hint = doctor.Fail, sealed.Error(), fault.HintOf(sealed)
	case p.cfg.SecretsUnknown() && p.rendered != nil && p.rendered.MakesSecrets():
		check.Status, check.Detail = doctor.Warn, "pods read some, and "+p.cfg.SecretsFile()+" does not exist"
		if c != nil {
			check.Detail += "; the cluster has none either"
		}
		check.Hint = "write the file, or have the Secret made in the cluster"
	case len(p.cfg.Secrets) == 0:
		check.Detail = "the environment has none"
	case p.cfg.SecretsMissing:
		check.Status, check.Detail = doctor.Warn, p.cfg.SecretsFile()+" is missing"
		check.Command = linesOf(p.cfg).Zr("up")
		check.Hint = "`" + check.Command + "` makes it, with new values or those of the cluster"
	case len(mock) > 0:
		check.Status, check.Detail, check.Hint = doctor.Warn, "values of the example, which everybody knows: "+strings.Join(mock, ", "), "write others into "+p.cfg.SecretsFile()
	case p.cfg.Sealed != "":
		check.Detail = fmt.Sprintf("%s has %d, and a key that is here opens it", p.cfg.SecretsFile(), len(p.cfg.Secrets))
	default:
		check.Detail = fmt.Sprintf("%s has %d, for the user alone", p.cfg.SecretsFile(), len(p.cfg.Secrets))
	}
	return check
}

// checkLent looks at a Secret of somebody else's, where there is one.
func (p *project) checkLent(ctx context.Context, c *cluster.Cluster) (check doctor.Check, known bool) {
	check = doctor.Check{Name: "secrets", Status: doctor.OK}
	d, err := p.deployerOn(c, p.rendered.Namespace)
	if err != nil {
		return check, false
	}
	lent, err := d.Lent(ctx, p.rendered.Namespace)
	if err != nil {
		check.Status, check.Detail, check.Hint = doctor.Warn, err.Error(), fault.HintOf(err)
		return check, true
	}
	if lent.Values == nil {
		return check, false
	}
	check.Detail = fmt.Sprintf("a Secret in the cluster has %d, of %s", len(lent.Values), lent.Source)
	if _, err := p.withLent(lent.Values).render(ctx); err != nil {
		check.Status, check.Detail, check.Hint = doctor.Fail, err.Error(), fault.HintOf(err)
	}
	return check, true
}

// checkCluster says whether the cluster answers, by what looking for it came to.
func (s *Stack) checkCluster(missing error) doctor.Check {
	c := doctor.Check{Name: "cluster", Status: doctor.OK, Detail: fmt.Sprintf("%s of provider %s answers", s.cfg.Cluster.Called(), s.cfg.Cluster.Provider)}
	if missing != nil {
		c.Status, c.Detail, c.Hint = doctor.Fail, s.cfg.Cluster.Called()+": "+missing.Error(), fault.HintOf(missing)
		if errors.Is(missing, cluster.ErrNotFound) || errors.Is(missing, cluster.ErrDown) {
			c.Command = linesOf(s.cfg).Zr("up")
			c.Hint = "`" + c.Command + "` brings it up"
		}
	}
	return c
}

// checkImages says what the image store holds.
func checkImages() doctor.Check {
	c := doctor.Check{Name: "images", Status: doctor.OK}
	store, err := openStore()
	if err != nil {
		return doctor.Check{Name: c.Name, Status: doctor.Warn, Detail: err.Error()}
	}
	defer store.Close()
	list, err := store.List()
	if err != nil {
		return doctor.Check{Name: c.Name, Status: doctor.Warn, Detail: err.Error()}
	}
	used, err := store.Size()
	if err != nil {
		return doctor.Check{Name: c.Name, Status: doctor.Warn, Detail: err.Error()}
	}
	c.Detail = fmt.Sprintf("%d in %s, %.1f GiB", len(list), store.Dir(), float64(used)/(1<<30))
	c.Command = "zr images prune"
	return c
}

// The names of DaemonSets that belong to networks which enforce NetworkPolicies. That of
// zr's own node image is asked, since the kernel may refuse its rules.
const ownNetwork = "node-network"

var enforcing = map[string]string{
	"kindnet": "kind's network", "calico-node": "Calico", "cilium": "Cilium", "azure-npm": "Azure's network policy manager", "kube-router": "kube-router", "antrea-agent": "Antrea", "weave-net": "Weave Net",
}

// policyLook is how far back the log of zr's own network is read: it tries again every 30
// seconds, and says each time what is refused.
const policyLook = time.Minute

// checkPolicies says whether the network of a cluster enforces NetworkPolicies.
func checkPolicies(ctx context.Context, c *cluster.Cluster) doctor.Check {
	const name = "network policies"
	unknown := doctor.Check{Name: name, Status: doctor.Warn, Detail: "it is not known whether the cluster enforces them", Hint: "ask who runs the cluster"}
	sets, _, err := c.Client.List(ctx, object.DaemonSets, lean.ListOptions{Namespace: "kube-system"})
	if err != nil {
		unknown.Detail += ": " + err.Error()
		return unknown
	}
	for _, o := range sets {
		set := o.Metadata().Name
		if set == ownNetwork {
			return checkOwnNetwork(ctx, c, name)
		}
		if network, known := enforcing[set]; known {
			return doctor.Check{Name: name, Status: doctor.OK, Detail: network + " enforces them"}
		}
	}
	return unknown
}

// checkOwnNetwork reads what the network of zr's own node image said last.
func checkOwnNetwork(ctx context.Context, c *cluster.Cluster, name string) doctor.Check {
	const namespace, refused = "kube-system", "nft: "
	pods, _, err := c.Client.List(ctx, object.Pods, lean.ListOptions{Namespace: namespace, Labels: "app.kubernetes.io/name=" + ownNetwork})
	if err != nil {
		return doctor.Check{Name: name, Status: doctor.Warn, Detail: err.Error()}
	}
	for _, o := range pods {
		pod, ok := o.(*object.Pod)
		if !ok || len(pod.Spec.Containers) == 0 {
			continue
		}
		log, err := c.Client.Log(ctx, namespace, pod.Name, pod.Spec.Containers[0].Name, lean.LogOptions{Since: time.Now().Add(-policyLook), Tail: 50})
		if err != nil {
			return doctor.Check{Name: name, Status: doctor.Warn, Detail: err.Error()}
		}
		text, err := io.ReadAll(io.LimitReader(log, 64<<10))
		_ = log.Close()
		if err != nil {
			return doctor.Check{Name: name, Status: doctor.Warn, Detail: err.Error()}
		}
		if _, why, found := strings.Cut(string(text), refused); found {
			why, _, _ = strings.Cut(why, "\n")
			return doctor.Check{Name: name, Status: doctor.Warn, Detail: "the kernel of node " + pod.Spec.NodeName + " refuses the rules, so that they are not enforced: " + why, Hint: "load its module nf_tables"}
		}
	}
	return doctor.Check{Name: name, Status: doctor.OK, Detail: "zr's own network enforces them"}
}
