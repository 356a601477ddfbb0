package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"

	"zr/kustomize"
	"zr/pkg/apiclient"
	"zr/pkg/cluster"
	"zr/pkg/cluster/statedir"
	"zr/pkg/config"
	"zr/pkg/deploy/render"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// dashboardName is what the step and the URL of the dashboard are called.
const dashboardName = "dashboard"

// environmentLabel is on the RoleBindings by which environments let the dashboard in.
// Its value is the name of the environment.
const environmentLabel = "zr.dev/environment"

// What the Services of the dashboard would have of this machine, if they were no
// instance: see ownPorts.
const (
	dashboardPort    = 3000
	dashboardAPIPort = 3001
)

// dashboardAccess is what lets the dashboard into the namespace of an environment
// that wants it; nil for another.
func dashboardAccess(cfg *config.Config) *render.Access {
	if !cfg.Dashboard {
		return nil
	}
	return &render.Access{
		Name: kustomize.Namespace, Role: kustomize.Role, Labels: map[string]string{environmentLabel: cfg.Set()},
		Account: kustomize.Account, Namespace: kustomize.Namespace, Pods: kustomize.Asking(),
	}
}

// dashboardConfig is the environment that the dashboard of a cluster is, beside one. All
// environments of the cluster share it. It has ports of this machine that are free.
func dashboardConfig(beside *config.Config) *config.Config {
	on := beside.Cluster
	on.Ports = map[string]int{"frontend": dashboardPort, "api": dashboardAPIPort}
	return &config.Config{Project: "zr", Env: "dashboard", Instance: on.Called(), Cluster: on, Beside: beside}
}

// dashboardSet is the name of that environment.
func (s *Stack) dashboardSet() string { return dashboardConfig(s.cfg).Set() }

// dashboard is that of a cluster, opened as an environment of its own.
type dashboard struct {
	*Stack
	manifests string // the folder that they were written to
}

// openDashboard opens the dashboard of the cluster that a connection is to. Its
// secrets are those that it runs with, and otherwise new ones, which are kept in the
// cluster alone.
func (s *Stack) openDashboard(ctx context.Context, on *connection) (d *dashboard, err error) {
	cfg := dashboardConfig(s.cfg)
	from, err := findDashboard()
	if err != nil {
		return nil, err
	}
	cfg.Services = from.services()
	port, err := dashboardHostPort(cfg)
	if err != nil {
		return nil, err
	}
	cfg.Settings = map[string]string{"LOG_LEVEL": "info", "ALLOWED_ORIGINS": "http://localhost:" + strconv.Itoa(int(port))}
	if cfg.Secrets, err = s.dashboardSecrets(ctx, cfg, on.cluster); err != nil {
		return nil, err
	}
	d = &dashboard{}
	if d.manifests, err = os.MkdirTemp("", "zr-dashboard-"); err != nil {
		return nil, fmt.Errorf("making a folder for the manifests of the dashboard: %w", err)
	}
	if cfg.Overlay, err = kustomize.Write(d.manifests); err == nil {
		err = from.use(ctx, s.store, cfg)
	}
	if err == nil {
		d.Stack, err = Open(cfg, noticesOnly(s.sink), Options{Verb: s.options.Verb, Shown: s.options.Shown})
	}
	if err != nil {
		_ = os.RemoveAll(d.manifests)
		return nil, err
	}
	return d, nil
}

func (d *dashboard) close() {
	d.Close()
	_ = os.RemoveAll(d.manifests)
}

// noticesOnly passes what is to be known, and not the steps and services of an
// environment that is brought up within a step of another.
func noticesOnly(to event.Sink) event.Sink {
	return event.SinkFunc(func(e event.Event) {
		if notice, ok := e.(event.Notice); ok {
			to.Emit(notice)
		}
	})
}

// dashboardHostPort chooses the port of this machine at which the dashboard is, for
// good: its api has to know where its pages are.
func dashboardHostPort(cfg *config.Config) (int32, error) {
	unlock, err := statedir.LockEnvironments()
	if err != nil {
		return 0, err
	}
	defer unlock()
	var own ownPorts
	port, err := own.choose(cfg.Set(), dashboardPort)
	if err != nil {
		return 0, err
	}
	own.known.Instance, own.known.Cluster = cfg.Instance, cfg.Cluster.Called()
	return port, own.known.Save()
}

// dashboardSecrets returns those that the dashboard runs with, or new ones.
func (s *Stack) dashboardSecrets(ctx context.Context, cfg *config.Config, c *cluster.Cluster) (map[string]string, error) {
	d, err := newStack(cfg, event.Discard, Options{}).deployerOn(c, "")
	if err != nil {
		return nil, err
	}
	held, err := d.Held(ctx)
	if err != nil || len(held) > 0 {
		return held, err
	}
	database, cache := config.RandomSecret(), config.RandomSecret()
	return map[string]string{
		"POSTGRES_USER": "zr", "POSTGRES_DB": "zr", "POSTGRES_PASSWORD": database, "REDIS_PASSWORD": cache, "LOGIN_KEY": config.RandomSecret(),
		"DATABASE_URL": "postgres://zr:" + database + "@postgres:5432/zr?sslmode=disable", "REDIS_URL": "redis://:" + cache + "@redis:6379/0",
	}, nil
}

// upDashboard brings the dashboard of the cluster up, where the environment wants it,
// and returns the ports at which it answered and a login link.
func (p *project) upDashboard(ctx context.Context, on *connection) (urls map[string]string, login string, err error) {
	if !p.cfg.Dashboard {
		return nil, "", nil
	}
	err = step{dashboardName, "dashboard in " + kustomize.Namespace, func(ctx context.Context) (outcome, error) {
		d, err := p.openDashboard(ctx, on)
		if err != nil {
			return outcome{}, err
		}
		defer d.close()
		urls, login, err = d.up(ctx, func(at apiclient.Address) { p.attachment.Found(at, p.rendered.Namespace) })
		if err != nil {
			err = fault.Hint(fmt.Errorf("bringing up the dashboard: %w", err), on.lines.Kubectl("get", "pods,events", "-n", kustomize.Namespace))
		}
		return outcome{detail: urls[dashboardName]}, err
	}}.run(ctx, p.sink)
	return urls, login, err
}

// up brings it up, tells where its api is, and returns where its pages are and a login
// link.
func (d *dashboard) up(ctx context.Context, meet func(apiclient.Address)) (urls map[string]string, login string, err error) {
	unlock, err := d.lockRun(ctx, "up")
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	err = d.bringUp(ctx, func(p *project, _ *connection, reached []endpoint) (err error) {
		urls = map[string]string{}
		for _, e := range reached {
			if e.service.Name == "frontend" && e.err == nil {
				urls[dashboardName] = e.url()
			}
		}
		if at, there := p.apiAmong(reached); there {
			meet(at)
		}
		login, err = p.loginLink(reached)
		return err
	})
	return urls, login, err
}

// dashboardAddress is where the api of the dashboard is that runs beside the
// environment.
func (s *Stack) dashboardAddress(ctx context.Context) (apiclient.Address, error) {
	_, on, err := s.find(ctx)
	if err != nil {
		return apiclient.Address{}, err
	}
	defer on.close()
	d, err := s.openDashboard(ctx, on)
	if err != nil {
		return apiclient.Address{}, err
	}
	defer d.close()
	at, err := d.ownAddress(ctx)
	if err != nil {
		return at, fault.Hint(fmt.Errorf("logging in to the dashboard: %w", err), "`"+on.lines.Zr("up")+"` brings it up")
	}
	return at, nil
}

// endDashboard takes the dashboard down once no environment of the cluster has it, and
// with purge its data too.
func (s *Stack) endDashboard(ctx context.Context, c *cluster.Cluster, purge bool) error {
	if !s.can().Own {
		return nil // there is none where zr made no cluster
	}
	own, err := s.deployerOn(c, "")
	if err != nil {
		return err
	}
	if wanted, err := own.Bound(ctx, environmentLabel); err != nil || wanted {
		return err
	}
	d := newStack(dashboardConfig(s.cfg), event.Discard, Options{})
	if _, err := d.endRelay(ctx); err != nil {
		return err
	}
	if err := d.remove(ctx, c, purge); err != nil || !purge {
		return err
	}
	return s.forgetDashboard()
}

// forgetDashboard drops what this machine keeps for the dashboard of a cluster.
func (s *Stack) forgetDashboard() error {
	set := s.dashboardSet()
	return errors.Join(forgetDevLock(set), statedir.Environment{Set: set}.Forget())
}

// withoutDashboard ends the dashboard of a cluster on which nobody has it any more.
func (s *Stack) withoutDashboard(ctx context.Context) error {
	c, err := s.newProvider(nil, nil).Find(ctx)
	if err != nil {
		return err
	}
	return s.endDashboard(ctx, c, false)
}

// chooseDashboard returns the config with what a run was asked for in place of what its
// file says, and notes that for the runs that follow.
func chooseDashboard(cfg *config.Config, wanted *bool) (*config.Config, error) {
	if wanted == nil {
		return cfg, nil
	}
	if *wanted && cfg.Cluster.Provider != config.ProviderKind {
		return nil, fault.WithCode(fmt.Errorf("bringing up the dashboard on %q: zr did not make that cluster", cfg.Cluster.Called()), fault.Usage, "it is only for clusters of provider kind")
	}
	chosen := *cfg
	chosen.Dashboard = *wanted
	unlock, err := statedir.LockEnvironments()
	if err != nil {
		return nil, err
	}
	defer unlock()
	known := statedir.ReadEnvironment(cfg.Set())
	known.Cluster, known.Dashboard = cfg.Cluster.Called(), *wanted
	return &chosen, known.Save()
}

// and adds URLs to others.
func and(urls, more map[string]string) map[string]string {
	maps.Copy(urls, more)
	return urls
}
