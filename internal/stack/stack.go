// Package stack is the engine of every verb that works on one environment of a
// project: up, dev, status, diff, logs, down. It puts the stages together, emits
// events, and prints nothing.
package stack

import (
	"context"
	"slices"
	"strings"
	"time"

	"zr/pkg/build"
	"zr/pkg/cluster"
	"zr/pkg/cluster/aks"
	"zr/pkg/cluster/kind"
	"zr/pkg/cluster/kubecontext"
	"zr/pkg/cluster/relay"
	"zr/pkg/cmdline"
	"zr/pkg/config"
	"zr/pkg/deploy"
	"zr/pkg/event"
	"zr/pkg/health"
	"zr/pkg/image"
	"zr/pkg/image/recipe"
	"zr/pkg/probe"
)

// Stack is one environment and the parts of zr that work on it. Its fields are
// filled in as a run goes on; Close lets go of what they hold. One goroutine at a time
// uses it.
type Stack struct {
	cfg   *config.Config
	sink  event.Sink
	lines cmdline.Run // that hints tell while no cluster is known

	dev   bool   // workloads that are built run their dev images
	agent string // path of the agent's program, in dev
	token string // of the agents, in dev

	own           ownPorts // of an instance
	changeSecrets bool     // also those that a volume may have been made with

	fetch func(what []string) // told what the overlay fetches; nil where it may not
	told  string              // what was told last

	platform string // of the images, once the cluster has said it

	store    *image.Store
	resolver *image.Resolver
	builds   []build.Request
	rendered *deploy.Rendered
	provider cluster.Provider

	published []published       // the ports of this machine that are wanted
	plan      portPlan          // the way from them to the Services
	held      []deploy.HeldPort // the NodePorts of the cluster, as far as they are known
	relaying  []relay.Port      // what was relayed last
	reached   []endpoint        // the ports at which the Services answered

	azure  azure         // who the run is there
	shown  bool          // somebody sees what the sink is told
	shared Shared        // how to treat a cluster that others use too
	lease  *deploy.Lease // on such a cluster, once something changes
}

// Open opens what every verb that works on an environment needs. It talks
// to no cluster.
func Open(cfg *config.Config, sink event.Sink) (*Stack, error) {
	store, err := openStore()
	if err != nil {
		return nil, err
	}
	s := &Stack{cfg: cfg, sink: sink, lines: linesOf(cfg), store: store}
	makers := recipe.Makers(recipe.Options{Store: store, Sink: sink})
	s.resolver = &image.Resolver{Store: store, Sink: sink, Step: stepImages, Makers: makers}
	s.fetch = s.sayFetch
	s.builds = s.requests()
	return s, nil
}

// sayFetch tells, once, what is fetched for the overlay before it is.
func (s *Stack) sayFetch(what []string) {
	if names := strings.Join(what, ", "); names != s.told {
		s.told = names
		s.sink.Emit(event.Notice{Text: "the overlay has kustomize fetch " + names, Hint: "copy it into the project to have the same each time, also without a network"})
	}
}

// Shown says that somebody sees what the sink is told, and can be asked for a sign-in.
func (s *Stack) Shown() { s.shown = true }

// Close lets go of what a run holds.
func (s *Stack) Close() {
	if s.lease != nil {
		s.lease.Release()
	}
	_ = s.store.Close() // it only gives up leases, which end with the process too
}

// set names the ApplySet of the environment.
func (s *Stack) set() string { return s.cfg.Set() }

// clusterName is what to call the cluster.
func (s *Stack) clusterName() string { return s.cfg.Cluster.Called() }

// can is what zr can do with the cluster.
func (s *Stack) can() cluster.Abilities {
	switch s.cfg.Cluster.Provider {
	case config.ProviderAKS:
		return aks.Abilities
	case config.ProviderContext:
		return kubecontext.Abilities
	}
	return kind.Abilities
}

// render builds the overlay, with the images that zr builds left open, and
// checks the configuration against it.
func (s *Stack) render(ctx context.Context) error {
	images, needs := map[string]string{}, map[string][]string{}
	for name, service := range s.cfg.Services {
		needs[name] = service.DependsOn
		if service.Build != nil {
			images[name] = ""
		}
	}
	options := deploy.Options{
		Overlay: s.cfg.OverlayDir(), Fetch: s.fetch, Set: s.set(), Images: images, Loaded: s.can().Loads, Settings: s.cfg.Settings, Secrets: s.cfg.Secrets,
		Needs: needs,
	}
	r, err := deploy.Render(ctx, options)
	if err != nil {
		return err
	}
	s.ownCommands(r.Workloads())
	s.rendered = r
	if err := s.checkNames(); err != nil {
		return err
	}
	if s.dev { // what differs depends on the probes that are rendered
		s.releaseRest(r.Workloads())
		if options.Dev, err = s.devServices(r.Workloads()); err != nil {
			return err
		}
		if r, err = deploy.Render(ctx, options); err != nil {
			return err
		}
		s.rendered = r
	}
	ports, err := s.publishPorts()
	if err != nil {
		return err
	}
	s.provider = s.newProvider(mapping(ports), nil)
	return nil
}

// checkNames reports the names of the config that the overlay lacks.
func (s *Stack) checkNames() error {
	return s.cfg.Against(s.workloads(), publishable(s.rendered.Services()), s.rendered.ImageNames())
}

// workloads are the names of what the overlay runs.
func (s *Stack) workloads() []string {
	var names []string
	for _, w := range s.rendered.Workloads() {
		names = append(names, w.Name)
	}
	return slices.Compact(names)
}

// newProvider returns what makes or finds the cluster. nodeUp is told of the nodes of a
// new one as soon as they take images; it may be nil.
func (s *Stack) newProvider(ports []kind.Port, nodeUp func(context.Context, []cluster.Node)) cluster.Provider {
	switch s.cfg.Cluster.Provider {
	case config.ProviderAKS:
		return aks.New(s.aksOptions())
	case config.ProviderContext:
		return kubecontext.New(kubecontext.Options{Context: s.cfg.Cluster.Context, Allowed: s.cfg.Cluster.Context, Lines: linesOf(s.cfg)})
	}
	return kind.New(kind.Options{
		Name: s.cfg.Cluster.Name, Nodes: s.cfg.Cluster.Nodes, NodeImage: s.cfg.Cluster.NodeImage, Ports: ports,
		EnsureNodeImage: s.nodeImage, OnNodeUp: nodeUp, Lines: linesOf(s.cfg),
	})
}

// targets are the workloads to gate, with their probes: what the config says,
// otherwise what the readiness probe of the manifest does. A Job has to
// complete, whatever its probes. lines are for the hints about them.
func (s *Stack) targets(lines cmdline.Run) []health.Target {
	var targets []health.Target
	secrets := s.cfg.Secrets
	for _, w := range s.rendered.Workloads() {
		service := s.cfg.Services[w.Name]
		t := health.Target{
			Service: w.Name, Name: w.Name, Kind: w.Kind, Namespace: w.Namespace, Vanishes: w.Vanishes,
			Replicas: w.Replicas, Idle: w.Idle, Services: w.Services,
			Probe: service.Probe, DependsOn: service.DependsOn, Timeout: time.Duration(service.Timeout),
			Credentials: func() (map[string]string, error) { return secrets, nil }, Lines: lines,
		}
		if slices.ContainsFunc(targets, func(other health.Target) bool { return other.Service == w.Name }) {
			// The name is that of the one that serves; nothing in the config is
			// about this one.
			t.Service, t.Probe, t.DependsOn, t.Timeout = strings.ToLower(w.Kind)+"/"+w.Name, "", nil, 0
		}
		if w.Kind == "Job" {
			t.Probe, t.Replicas, t.Services = probe.Rollout, 0, nil
		}
		t.Advice = s.adviceOf(w.Name, lines)
		main := w.Own()
		t.Container = main.Name
		ready := main.Readiness
		// Another host than the pod can be asked by the kubelet only.
		if t.Probe == "" && ready.Host == "" && probe.Of(ready.Kind).InConfig {
			t.Probe = ready.Kind
		}
		if t.Port = ready.Port; t.Port == 0 && len(main.Ports) > 0 {
			t.Port = main.Ports[0].Number
		}
		t.Path, t.TLS, t.Headers = ready.Path, ready.Scheme == "HTTPS", ready.Headers
		targets = append(targets, t)
	}
	return targets
}

// serves says whether a workload of a kind can run a dev image.
func serves(kind string) bool { return kind == "Deployment" || kind == "StatefulSet" }

// Validate renders an environment and checks its configuration against that. It
// fetches what the overlay names by an address only with fetch.
func Validate(ctx context.Context, cfg *config.Config, fetch bool) error {
	s := &Stack{cfg: cfg, sink: event.Discard}
	if fetch {
		s.fetch = s.sayFetch
	}
	return s.render(ctx)
}
