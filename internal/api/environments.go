package api

import (
	"context"
	"log/slog"

	"zr/internal/api/access"
	"zr/internal/api/configuration"
	"zr/internal/api/dev"
	"zr/internal/api/environments"
	"zr/internal/api/expiry"
	"zr/internal/api/fleet"
	"zr/internal/api/kube"
	"zr/internal/api/lifecycle"
	"zr/internal/api/logstore/redact"
	"zr/internal/api/probe"
	"zr/internal/api/settings"
	"zr/internal/api/store/cache"
	"zr/internal/api/store/logdb"
	"zr/internal/api/store/postgres"
	"zr/internal/api/uptime"
	"zr/internal/api/usage"
)

// parts are what environments are made of.
type parts struct {
	settings settings.Settings
	client   *kube.Client // nil outside of a cluster
	probes   *probe.Set
	self     fleet.Self
	shared   cache.Cache
	db       *postgres.Store
	lines    *logdb.Store
	devs     *dev.Hub
	gate     *access.Gate
	kubelets *usage.Kubelets
	secrets  *redact.Redactor // that are taken out of what containers and Kubernetes say
	log      *slog.Logger
}

// newEnvironments returns those that the settings say.
func newEnvironments(p *parts) *environments.Set {
	if p.settings.ControlRoom && p.client != nil {
		return environments.Granted(environments.NewBindings(p.client, p.log), func(g environments.Grant) *environments.Environment {
			client := p.client.In(g.Namespace)
			reader := fleet.NewReader(client, nil, fleet.Self{}, p.secrets)
			return p.environment(client, reader, environments.Environment{Name: g.Namespace, Set: g.Set})
		})
	}
	own := environments.Environment{Name: outside, Own: true}
	if p.client != nil {
		own.Name = p.client.Namespace()
	}
	return environments.Only(p.environment(p.client, fleet.NewReader(p.client, p.probes, p.self, p.secrets), own))
}

// environment completes one.
func (p *parts) environment(client *kube.Client, reader *fleet.Reader, e environments.Environment) *environments.Environment {
	e.Services = reader
	if client != nil {
		e.Usage = usage.New(client, p.kubelets, reader.Nodes)
	}
	e.Changes = lifecycle.New(client)
	e.Configuration = configuration.New(client, p.db, p.devs, e.Key(), p.log)
	e.Logs = newCollector(client, p.lines, p.shared, p.secrets, p.log)
	e.Jobs = []func(context.Context){reader.Run, fleet.NewObserver(e.Key(), reader, p.db, uptime.NewRecorder(e.Key(), p.db, p.log), p.log).Run, e.Logs.Run}
	if client != nil {
		e.Life = &expiry.Life{Cluster: client, Services: e.Changes, Target: e.Target, Record: p.gate.Record, Log: p.log}
		e.Jobs = append(e.Jobs, e.Life.Run)
	}
	return &e
}
