package stack

import (
	"context"
	"slices"
	"strings"
	"time"

	"zr/pkg/build"
	"zr/pkg/cluster"
	"zr/pkg/cmdline"
	"zr/pkg/deploy/render"
	"zr/pkg/diagnose"
	"zr/pkg/health"
	"zr/pkg/probe"
)

// project is what the files of an environment say: its Stack, with the overlay rendered
// by its config. It is not changed once render has returned it, but for the manifests:
// the one run that applies them adds NodePorts and the names of images.
type project struct {
	*Stack
	rendered *render.Rendered // nil where it could not be rendered: see unrendered
	external []string         // images of the manifests that somebody else makes, sorted
	builds   []build.Request  // by the name of their service
	others   []string         // platforms of the nodes beside that of builds
	ports    []published      // the ports of this machine that are wanted
}

// unrendered is a project of which only the config is known.
func (s *Stack) unrendered() *project { return &project{Stack: s, builds: s.requests()} }

// render builds the overlay, with the images that zr builds left open, and
// checks the configuration against it.
func (s *Stack) render(ctx context.Context) (*project, error) {
	options := s.renderOptions()
	p, err := s.renderWith(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := p.checkNames(); err != nil {
		return nil, err
	}
	if s.dev != nil { // what differs depends on the probes that are rendered
		workloads := p.rendered.Workloads()
		releaseRest(p.builds, workloads)
		if options.Dev, err = p.devServices(workloads); err != nil {
			return nil, err
		}
		if p.rendered, err = render.Render(ctx, options); err != nil {
			return nil, err
		}
	}
	p.external = p.rendered.ExternalImages()
	p.ports, err = p.publishPorts()
	return p, err
}

// renderOptions are those of a `zr up`.
func (s *Stack) renderOptions() render.Options {
	images, needs := map[string]string{}, map[string][]string{}
	for name, service := range s.cfg.Services {
		needs[name] = service.DependsOn
		if service.Build != nil {
			images[name] = ""
		}
	}
	settings, secrets := s.cfg.Name(), s.cfg.SecretsFile()
	if s.cfg.Beside != nil {
		settings, secrets = "", "" // zr's own, from no file
	}
	return render.Options{
		Overlay: s.cfg.OverlayDir(), Fetch: s.fetch, Set: s.set(), Namespace: s.cfg.Namespace, Only: s.cfg.Only, Images: images, Loaded: s.can().Loads, Settings: s.cfg.Settings, Secrets: s.cfg.Secrets, SecretsUnknown: s.cfg.SecretsUnknown(), SecretsLent: s.cfg.SecretsLent,
		SettingsSource: settings, SecretsSource: secrets, Needs: needs, Access: dashboardAccess(s.cfg),
	}
}

// renderWith checks nothing but the manifests themselves.
func (s *Stack) renderWith(ctx context.Context, options render.Options) (*project, error) {
	r, err := render.Render(ctx, options)
	if err != nil {
		return nil, err
	}
	p := s.unrendered()
	p.rendered = r
	ownCommands(p.builds, r.Workloads())
	return p, nil
}

// checkNames reports the names of the config that the overlay lacks.
func (p *project) checkNames() error {
	return p.cfg.Against(p.workloads(), publishable(p.rendered.Services()), p.rendered.ImageNames())
}

// workloads are the names of what the overlay runs.
func (p *project) workloads() []string {
	var names []string
	for _, w := range p.rendered.Workloads() {
		names = append(names, w.Name)
	}
	return slices.Compact(names)
}

// provider returns what makes or finds the cluster. nodeUp is told of the nodes of a
// new one as soon as they take images; it may be nil.
func (p *project) provider(nodeUp func(context.Context, []cluster.Node)) cluster.Provider {
	return p.newProvider(mapping(p.ports), nodeUp)
}

// targets are the workloads to gate, with their probes: what the config says,
// otherwise what the readiness probe of the manifest does. A Job has to
// complete, whatever its probes. lines are for the hints about them.
func (p *project) targets(lines cmdline.Run) []health.Target {
	var targets []health.Target
	secrets := p.cfg.Secrets
	for _, w := range p.rendered.Workloads() {
		service := p.cfg.Services[w.Name]
		t := health.Target{
			Target:    diagnose.Target{Service: w.Name, Name: w.Name, Kind: w.Kind, Namespace: w.Namespace, Vanishes: w.Vanishes, Replicas: w.Replicas, Idle: w.Idle, Services: w.Services, Probe: service.Probe, Lines: lines},
			DependsOn: service.DependsOn, Timeout: time.Duration(service.Timeout), Credentials: func() (map[string]string, error) { return secrets, nil },
		}
		if slices.ContainsFunc(targets, func(other health.Target) bool { return other.Service == w.Name }) {
			// The name is that of the one that serves; nothing in the config is
			// about this one.
			t.Service, t.Probe, t.DependsOn, t.Timeout = strings.ToLower(w.Kind)+"/"+w.Name, "", nil, 0
		}
		if w.Kind == "Job" {
			t.Probe, t.Replicas, t.Services = probe.Rollout, 0, nil
		}
		t.Advice = p.adviceOf(w.Name, lines)
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
		t.Path, t.TLS, t.Headers, t.ProbeTimeout = ready.Path, ready.Scheme == "HTTPS", ready.Headers, ready.Timeout
		targets = append(targets, t)
	}
	return targets
}

// serves says whether a workload of a kind can run a dev image.
func serves(kind string) bool { return kind == "Deployment" || kind == "StatefulSet" }
