package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zr/internal/devloop"
	"zr/pkg/build"
	"zr/pkg/build/gobuild"
	"zr/pkg/livesync"
	"zr/pkg/livesync/portforward"
)

// manifestsUnit names the unit of everything that is not a service.
const manifestsUnit = "manifests"

// units are what saves change: each service that is reloaded in place, and the
// manifests. The returned function ends their connections.
func (s *stack) units(ctx context.Context) (units []devloop.Unit, end func(), err error) {
	var sessions []*livesync.Session
	end = func() {
		for _, session := range sessions {
			session.Close()
		}
	}
	defer func() {
		if err != nil {
			end()
		}
	}()
	for _, w := range s.facts.Load().wiring {
		r := w.request
		if r.Mode != build.Dev {
			unit, err := s.deployed(ctx, r)
			if err != nil { // saved while the stack came up
				return nil, end, &devloop.Fault{Text: err.Error()}
			}
			units = append(units, unit)
			continue
		}
		session, err := s.dial(ctx, r.Service, w.target)
		if err != nil {
			return nil, end, fmt.Errorf("connecting to service %q: %w", r.Service, err)
		}
		sessions = append(sessions, session)
		unit, err := s.unit(ctx, r, session)
		if err != nil {
			return nil, end, &devloop.Fault{Text: err.Error()}
		}
		units = append(units, unit)
	}
	return append(units, s.manifestsUnit()), end, nil
}

func (s *stack) unit(ctx context.Context, r build.Request, session *livesync.Session) (devloop.Unit, error) {
	inputs, err := s.builder().Inputs(ctx, r)
	if err != nil {
		return nil, err
	}
	if r.Spec.Dockerfile != "" {
		return s.deployed(ctx, r)
	}
	if r.Spec.Node != "" {
		return s.nodeUnit(r, inputs, session)
	}
	out := filepath.Join(s.scratch, r.Service)
	golang := gobuild.New(s.deps())
	return &devloop.Program{
		Service: r.Service, Inputs: inputs, Container: session, File: gobuild.Name(r),
		Compile: func(ctx context.Context) (string, string, error) {
			hash, err := golang.BinaryOf(ctx, r, inputs, out)
			return out, hash, err
		},
	}, nil
}

func (s *stack) deployed(ctx context.Context, r build.Request) (devloop.Unit, error) {
	inputs, err := s.builder().Inputs(ctx, r)
	if err != nil {
		return nil, err
	}
	return &devloop.Deployed{Service: r.Service, Inputs: inputs, Rebuild: s.reapply}, nil
}

func (s *stack) manifestsUnit() devloop.Unit {
	s.manifests = &devloop.Manifests{Label: manifestsUnit, Reapply: s.reapply}
	s.watchManifests()
	return s.manifests
}

func (s *stack) watchManifests() {
	files := append(s.secretsFiles(), s.cfg.File)
	s.manifests.Watch(append(files, s.rendered.Files()...), []string{s.cfg.OverlayDir()})
}

// reapply reads the configuration anew and makes the cluster say what it says.
// Where something is wrong, what runs stays as it is.
func (s *stack) reapply(ctx context.Context) error {
	s.applying.Lock()
	defer s.applying.Unlock()
	defer s.watchManifests() // what is rendered may consist of other files now
	before, builds, rendered := s.cfg, s.builds, s.rendered
	err := s.reload()
	if err == nil {
		err = s.render(ctx)
	}
	if err == nil {
		err = s.planPorts(ctx)
	}
	if err == nil {
		_, err = s.build(ctx)
	}
	if err != nil {
		s.cfg, s.builds, s.rendered = before, builds, rendered
		return err
	}
	o, err := s.apply(ctx)
	if err != nil {
		return err
	}
	if err := s.waitHealthy(ctx, o.unchanged); err != nil {
		return err
	}
	reached := s.reached
	if err := s.openPorts(ctx); err != nil {
		return err
	}
	s.tellURLs(reached)
	s.publish()
	return nil
}

// reload reads the configuration from disk.
func (s *stack) reload() error {
	cfg, err := loadInstance(s.cfg.Root, s.cfg.Env, s.cfg.Instance)
	if err != nil {
		return err
	}
	if err := s.keepSecrets(cfg); err != nil {
		return err
	}
	s.cfg = cfg
	s.builds = s.requests()
	return nil
}

// dial opens the connection to a workload's agent.
func (s *stack) dial(ctx context.Context, service string, target portforward.Target) (*livesync.Session, error) {
	rest, err := s.cluster.RESTConfig()
	if err != nil {
		return nil, err
	}
	dialer, err := portforward.New(rest, target)
	if err != nil {
		return nil, err
	}
	replays := &devloop.Replays{Service: service, Sink: s.sink}
	return livesync.Dial(ctx, livesync.Options{
		Dialer: dialer, Token: s.token,
		OnChange: func(state livesync.State) {
			s.sink.Emit(devloop.StateOf(service, state))
			replays.Changed(state)
		},
		OnReplay: replays.Done,
	})
}

// makeScratch makes the folder that compiled programs wait in to be sent.
func (s *stack) makeScratch() (remove func(), err error) {
	if s.scratch, err = os.MkdirTemp("", "zr-dev-"); err != nil {
		return nil, fmt.Errorf("making a folder for the compiler: %w", err)
	}
	return func() { os.RemoveAll(s.scratch) }, nil
}

// selector writes labels as the Kubernetes API takes them.
func selector(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, key+"="+labels[key])
	}
	return strings.Join(parts, ",")
}
