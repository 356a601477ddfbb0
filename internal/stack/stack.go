// Package stack is the engine of every verb that works on one environment of a
// project: up, dev, status, diff, logs, down. It puts the stages together, emits
// events, and prints nothing.
package stack

import (
	"context"
	"strings"
	"sync"
	"time"

	"zr/pkg/cluster"
	"zr/pkg/cluster/aks"
	"zr/pkg/cluster/kind"
	"zr/pkg/cluster/kubecontext"
	"zr/pkg/cmdline"
	"zr/pkg/config"
	"zr/pkg/devattach/attachment"
	"zr/pkg/event"
	"zr/pkg/image"
	"zr/pkg/image/recipe"
)

// Stack is one environment of a project, as its config says, and the tools that work on
// it. It is not changed after Open. Another config is another Stack: see withConfig.
type Stack struct {
	cfg     *config.Config
	sink    event.Sink
	options Options
	lines   cmdline.Run // that hints tell while no cluster is known
	dev     *devMode    // of a `zr dev`; nil where all images are release images

	store      *image.Store
	resolver   *image.Resolver
	fetch      func(what []string)    // told what the overlay fetches; nil where it may not
	own        *ownPorts              // of an instance
	attachment *attachment.Attachment // to the api; nil where it is told nothing
	identity   func() *aks.Identity   // who the run is in Azure, made when it is first asked for
}

// Options say how a run goes about what it does.
type Options struct {
	Verb          string // the run, for messages: "up"
	Tell          bool   // tell the api of the environment what happens, where there is one
	ChangeSecrets bool   // change also secrets that a volume may have been made with
	Overwrite     bool   // put back settings and secrets that were changed in the cluster, once
	Dashboard     *bool  // whether the environment has the dashboard from now on; nil: as before
	Shown         bool   // somebody sees what the sink is told, and can be asked for a sign-in

	// On a cluster that others use too. On one of zr's own nobody is asked and nobody
	// is waited for.
	Wait bool // wait for another run that is at work on the environment
	Yes  bool // delete, and take back what others have changed, without having been asked

	Keep time.Duration // how long a namespace of one's own is kept that nobody works on
}

// Open opens what every verb that works on an environment needs. It makes
// no request to a cluster.
func Open(cfg *config.Config, sink event.Sink, options Options) (*Stack, error) {
	cfg, err := chooseDashboard(cfg, options.Dashboard)
	if err != nil {
		return nil, err
	}
	store, err := openStore()
	if err != nil {
		return nil, err
	}
	var told *attachment.Attachment
	if options.Tell {
		told = newAttachment(options.Verb, cfg.Root)
		sink = both(sink, told)
	}
	s := newStack(cfg, sink, options)
	s.store, s.attachment = store, told
	makers := recipe.Makers(recipe.Options{Store: store, Sink: sink})
	s.resolver = &image.Resolver{Store: store, Sink: sink, Step: stepImages, Makers: makers}
	return s, nil
}

// newStack returns one that has no images and can make none.
func newStack(cfg *config.Config, sink event.Sink, options Options) *Stack {
	s := &Stack{cfg: cfg, sink: sink, options: options, lines: linesOf(cfg), own: &ownPorts{}, fetch: sayFetch(sink)}
	s.identity = sync.OnceValue(s.newIdentity)
	return s
}

// withConfig returns the same with another config of its environment.
func (s *Stack) withConfig(cfg *config.Config) *Stack {
	next := *s
	next.cfg = cfg
	return &next
}

// withoutFetch returns the same, which fetches nothing that the overlay names by an
// address.
func (s *Stack) withoutFetch() *Stack {
	next := *s
	next.fetch = nil
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
	s.attachment.Close()
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

// Validate renders an environment and checks its configuration against that. It
// fetches what the overlay names by an address only with fetch.
func Validate(ctx context.Context, cfg *config.Config, fetch bool) error {
	s := newStack(cfg, event.Discard, Options{})
	if !fetch {
		s = s.withoutFetch()
	}
	_, err := s.render(ctx)
	return err
}
