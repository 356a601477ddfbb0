// Package stack is the engine of every verb that works on one environment of a
// project: up, dev, status, diff, logs, down. It puts the stages together, emits
// events, and prints nothing.
package stack

import (
	"context"
	"slices"
	"strings"
	"sync"
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

// Stack is one environment of a project, as its config says, and the tools that work on
// it. It is not changed after Open. Another config is another Stack: see withConfig.
type Stack struct {
	cfg     *config.Config
	sink    event.Sink
	options Options
	lines   cmdline.Run // that hints tell while no cluster is known
	dev     *devMode    // of a `zr dev`; nil where all images are release images

	store    *image.Store
	resolver *image.Resolver
	fetch    func(what []string)  // told what the overlay fetches; nil where it may not
	own      *ownPorts            // of an instance
	identity func() *aks.Identity // who the run is in Azure, made when it is first asked for

	platform string // of the images, once the cluster has said it

	builds   []build.Request
	rendered *deploy.Rendered
	provider cluster.Provider

	published []published       // the ports of this machine that are wanted
	plan      portPlan          // the way from them to the Services
	held      []deploy.HeldPort // the NodePorts of the cluster, as far as they are known
	relaying  []relay.Port      // what was relayed last
	reached   []endpoint        // the ports at which the Services answered

	lease *deploy.Lease // on a cluster that others use too, once something changes
}

// Options say how a run goes about what it does.
type Options struct {
	Verb          string // the run, for messages: "up"
	ChangeSecrets bool   // change also secrets that a volume may have been made with
	Shown         bool   // somebody sees what the sink is told, and can be asked for a sign-in

	// On a cluster that others use too. On one of zr's own nobody is asked and nobody
	// is waited for.
	Wait bool // wait for another run that is at work on the environment
	Yes  bool // delete without having been asked
}

// Open opens what every verb that works on an environment needs. It talks
// to no cluster.
func Open(cfg *config.Config, sink event.Sink, options Options) (*Stack, error) {
	store, err := openStore()
	if err != nil {
		return nil, err
	}
	s := newStack(cfg, sink, options)
	s.store = store
	makers := recipe.Makers(recipe.Options{Store: store, Sink: sink})
	s.resolver = &image.Resolver{Store: store, Sink: sink, Step: stepImages, Makers: makers}
	return s, nil
}

// newStack returns one that has no images and can make none.
func newStack(cfg *config.Config, sink event.Sink, options Options) *Stack {
	s := &Stack{cfg: cfg, sink: sink, options: options, lines: linesOf(cfg), own: &ownPorts{}, fetch: sayFetch(sink)}
	s.identity = sync.OnceValue(s.newIdentity)
	s.builds = s.requests()
	return s
}

// withConfig returns the same with another config of its environment.
func (s *Stack) withConfig(cfg *config.Config) *Stack {
	next := *s
	next.cfg = cfg
	next.builds = next.requests()
	return &next
}

// sayFetch returns a function that tells, once, what is fetched for the overlay.
func sayFetch(sink event.Sink) func(what []string) {
	told := ""
	return func(what []string) {
		if names := strings.Join(what, ", "); names != told {
			told = names
			sink.Emit(event.Notice{Text: "the overlay has kustomize fetch " + names, Hint: "copy it into the project to have the same each time, also without a network"})
		}
	}
}

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
	if s.dev != nil { // what differs depends on the probes that are rendered
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
	s := newStack(cfg, event.Discard, Options{})
	if !fetch {
		s.fetch = nil
	}
	return s.render(ctx)
}
