package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"zr/pkg/cluster"
	"zr/pkg/cluster/statedir"
	"zr/pkg/config"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// purge deletes everything of the environment. A cluster of zr's own goes with
// it, unless other environments are on it.
func (s *Stack) purge(ctx context.Context) error {
	if err := s.mayPurge(); err != nil {
		return err
	}
	others, c, err := s.others(ctx)
	if err != nil {
		return err
	}
	doing, do := "delete cluster "+s.cfg.Cluster.Name, s.deleteCluster
	if !s.can().Own || len(others) > 0 {
		doing, do = "delete everything of "+s.set(), func(ctx context.Context) (outcome, error) { return s.deleteOwn(ctx, c, others) }
	}
	return step{"down", doing, func(ctx context.Context) (outcome, error) {
		o, err := do(ctx)
		if err != nil {
			return outcome{}, err
		}
		return o, s.forget()
	}}.run(ctx, s.sink)
}

func (s *Stack) deleteCluster(ctx context.Context) (outcome, error) {
	if err := s.newProvider(nil, nil).Delete(ctx, s.sink); err != nil {
		return outcome{}, err
	}
	return outcome{detail: "the image store stays"}, errors.Join(s.endRelays(ctx), s.forgetDashboard())
}

// deleteOwn deletes what is the environment's on a cluster of others.
func (s *Stack) deleteOwn(ctx context.Context, c *cluster.Cluster, others []string) (outcome, error) {
	if c == nil {
		return outcome{}, fault.Hint(fmt.Errorf("deleting what %s has on cluster %q: %w; %s has its data there too", s.set(), s.clusterName(), cluster.ErrDown, strings.Join(others, ", ")),
			"`"+linesOf(s.cfg).Zr("up")+"` starts it; or purge the others first")
	}
	if _, err := s.endRelay(ctx); err != nil {
		return outcome{}, err
	}
	if err := s.remove(ctx, c, true); err != nil {
		return outcome{}, err
	}
	if err := s.endDashboard(ctx, c, true); err != nil {
		return outcome{}, err
	}
	if !s.can().Own {
		return outcome{}, nil
	}
	return outcome{detail: fmt.Sprintf("cluster %s stays: %s is on it", c.Name, strings.Join(others, ", "))}, nil
}

// forget drops what this machine keeps for an environment that is gone.
func (s *Stack) forget() error {
	err := errors.Join(forgetToken(s.set()), forgetDevLock(s.set()), statedir.Environment{Set: s.set()}.Forget())
	if statedir.Instance(s.cfg.Root, s.cfg.Env) == s.cfg.Instance {
		err = errors.Join(err, statedir.ChooseInstance(s.cfg.Root, s.cfg.Env, ""))
	}
	return err
}

// mayPurge refuses to delete the data of an environment that another checkout
// brought up last.
func (s *Stack) mayPurge() error {
	other := s.otherCheckout(statedir.ReadEnvironment(s.set()))
	if other == "" {
		return nil
	}
	there := *s.cfg
	there.Root = other
	return fault.WithCode(fmt.Errorf("deleting %s: it was brought up from %s", s.set(), other), fault.Usage,
		fmt.Sprintf("delete it from there: `%s`", linesOf(&there).Zr("down", "--purge")))
}

// others returns the other environments that are on the cluster, and the
// cluster where it answers. Of one that stands still, what this machine has
// noted is all there is to know.
func (s *Stack) others(ctx context.Context) ([]string, *cluster.Cluster, error) {
	c, err := s.newProvider(nil, nil).Find(ctx)
	if err == nil {
		others, err := s.othersOn(ctx, c)
		return others, c, err
	}
	if !s.can().Own || ctx.Err() != nil {
		return nil, nil, err
	}
	if errors.Is(err, cluster.ErrNotFound) {
		return nil, nil, nil
	}
	known, err := statedir.Environments()
	if err != nil {
		return nil, nil, err
	}
	var others []string
	for _, e := range known {
		if e.Cluster == s.clusterName() && e.Set != s.set() && e.Set != s.dashboardSet() {
			others = append(others, e.Set)
		}
	}
	return others, nil, nil
}

func (s *Stack) othersOn(ctx context.Context, c *cluster.Cluster) ([]string, error) {
	if !s.can().Own {
		return nil, nil // it stays in any case
	}
	d, err := s.deployerOn(c, "")
	if err != nil {
		return nil, err
	}
	others, err := d.Others(ctx)
	// The dashboard is there for the others, and goes with the last of them.
	return slices.DeleteFunc(others, func(set string) bool { return set == s.dashboardSet() }), err
}

// PurgeQuestion says what a purge of an environment would delete.
func PurgeQuestion(ctx context.Context, cfg *config.Config) (string, error) {
	return newStack(cfg, event.Discard, Options{}).purgeQuestion(ctx)
}

func (s *Stack) purgeQuestion(ctx context.Context) (string, error) {
	if err := s.mayPurge(); err != nil {
		return "", err
	}
	if !s.can().Own {
		return fmt.Sprintf("This deletes the workloads, volumes and data of %q on %q.", s.set(), s.clusterName()), nil
	}
	others, _, err := s.others(ctx)
	if err != nil {
		return "", err
	}
	if len(others) > 0 {
		return fmt.Sprintf("This deletes the workloads, volumes and data of %q. The cluster %q stays, since %s is on it.", s.set(), s.cfg.Cluster.Name, strings.Join(others, ", ")), nil
	}
	return fmt.Sprintf("This deletes the cluster %q with all data in it.", s.cfg.Cluster.Name), nil
}
