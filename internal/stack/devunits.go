package stack

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"zr/internal/devloop"
	"zr/pkg/build"
	"zr/pkg/livesync"
	"zr/pkg/livesync/portforward"
	"zr/pkg/watch"
)

// manifestsUnit names the unit of everything that is not a service.
const manifestsUnit = "manifests"

// units are what saves change: each service that is reloaded in place, and the
// manifests. The returned function ends their connections.
func (r *reloading) units(ctx context.Context, p *project) (units []devloop.Unit, agents map[string]*throughService, end func(), err error) {
	agents = map[string]*throughService{}
	var conditions []*devloop.Condition
	end = func() {
		for _, agent := range agents {
			agent.close()
		}
		for _, c := range conditions {
			c.Clear() // the next reloading says it again where it still holds
		}
	}
	for _, w := range r.wired {
		request := w.request
		if request.Mode == build.Dev {
			condition := &devloop.Condition{Service: request.Service, Sink: r.sink}
			conditions = append(conditions, condition)
			agents[request.Service] = r.dial(ctx, p, condition, w)
		}
		unit, err := r.unit(ctx, p, request, agents[request.Service])
		if unit == nil {
			end()
			return nil, nil, nil, err
		}
		units = append(units, unit) // where err says that something is missing, its first run tells
	}
	return append(units, r.manifestsUnit(p)), agents, end, nil
}

// unit returns what saves of a service's sources change. It comes with an error
// where something is missing that the sources name.
func (r *reloading) unit(ctx context.Context, p *project, request build.Request, agent *throughService) (devloop.Unit, error) {
	builder := p.builder()
	inputs, err := builder.Inputs(ctx, request)
	if inputs == nil {
		return nil, err
	}
	service := request.Service
	rebuild := func(ctx context.Context) error { return r.redeploy(ctx, service) }
	if request.Mode != build.Dev {
		return &devloop.Deployed{Service: service, Inputs: inputs, Rebuild: rebuild, Idle: func() string { return r.facts.Load().idle[service] }}, err
	}
	live, failed := builder.Live(request, inputs, filepath.Join(r.scratch, service))
	if failed != nil {
		return nil, failed
	}
	reloaded := devloop.Reloaded{
		Service: service, Root: r.cfg.Root, Inputs: inputs, Budget: r.budget, Rebuild: rebuild,
		Container: agent,
		Advice:    func(words string) string { return adviceFor(r.cfg, request, words) },
	}
	return reloaded.Unit(live), err
}

func (r *reloading) manifestsUnit(p *project) devloop.Unit {
	r.manifests = &devloop.Manifests{Label: manifestsUnit, Apply: r.applySaved, Healthy: func(ctx context.Context) error { return r.waitReachable(ctx, r.unchanged) }}
	r.watchManifests(p)
	return r.manifests
}

// watchManifests has the files watched that the environment consists of now.
func (r *reloading) watchManifests(p *project) {
	files := append(p.secretsFiles(), p.cfg.File)
	files = append(files, p.rendered.Files()...)
	r.manifests.Watch(devloop.WithTargets(p.cfg.Root, files), devloop.WithTargets(p.cfg.Root, []string{p.cfg.OverlayDir()}))
}

// dial opens the connection to a workload's agent, as soon as that can be had.
func (r *reloading) dial(ctx context.Context, p *project, condition *devloop.Condition, w wiring) *throughService {
	ctx, cancel := context.WithCancel(ctx)
	c := newThroughService(nil, func(ctx context.Context) error { return r.leads(ctx, condition.Service) })
	t := &teller{service: condition.Service, condition: condition, container: c, sink: r.sink, runs: func() bool { return r.facts.Load().runs(condition.Service) }}
	opened := make(chan struct{})
	client := livesync.Open(livesync.Options{
		Dialer: portforward.New(r.on.cluster.Client, w.target), Token: p.dev.token, Patience: w.patience,
		OnChange: func(livesync.State) {
			<-opened
			t.tell(ctx)
		},
		OnReplay: condition.Replayed,
	})
	c.agent = client
	c.close = func() {
		cancel()
		client.Close()
		t.work.Wait()
	}
	close(opened)
	return c
}

// includes returns a function that has everything watched that the programs among
// units are made from now, whatever ignore files hide.
func (d *Dev) includes(units []devloop.Unit) func() {
	var last []build.InputFolder
	return func() {
		folders, wants := devloop.Included(units)
		if last != nil && slices.Equal(folders, last) {
			return
		}
		last = folders
		watched := make([]watch.Folder, len(folders))
		for i, f := range folders {
			watched[i] = watch.Folder(f)
		}
		d.watcher.Include(watched, wants)
	}
}

// selector writes labels as the Kubernetes API takes them.
func selector(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, key+"="+labels[key])
	}
	return strings.Join(parts, ",")
}
