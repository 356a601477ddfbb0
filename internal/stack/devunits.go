package stack

import (
	"context"
	"fmt"
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
func (s *Stack) units(ctx context.Context, wired []wiring) (units []devloop.Unit, sessions map[string]*livesync.Session, end func(), err error) {
	sessions = map[string]*livesync.Session{}
	var conditions []*devloop.Condition
	end = func() {
		for _, session := range sessions {
			session.Close()
		}
		for _, c := range conditions {
			c.Clear() // the next session says it again where it still holds
		}
	}
	for _, w := range wired {
		r := w.request
		if r.Mode == build.Dev {
			condition := &devloop.Condition{Service: r.Service, Sink: s.sink}
			session, err := s.dial(condition, w)
			if err != nil {
				end()
				return nil, nil, nil, fmt.Errorf("connecting to service %q: %w", r.Service, err)
			}
			conditions = append(conditions, condition)
			sessions[r.Service] = session
		}
		unit, err := s.unit(ctx, r, sessions[r.Service])
		if unit == nil {
			end()
			return nil, nil, nil, err
		}
		units = append(units, unit) // where err says that something is missing, its first run tells
	}
	return append(units, s.manifestsUnit(wired)), sessions, end, nil
}

// unit returns what saves of a service's sources change. It comes with an error
// where something is missing that the sources name.
func (s *Stack) unit(ctx context.Context, r build.Request, session *livesync.Session) (devloop.Unit, error) {
	inputs, err := s.builder().Inputs(ctx, r)
	if inputs == nil {
		return nil, err
	}
	rebuild := func(ctx context.Context) error { return s.redeploy(ctx, r.Service) }
	if r.Mode != build.Dev {
		return &devloop.Deployed{Service: r.Service, Inputs: inputs, Rebuild: rebuild, Idle: func() string { return s.facts.Load().idle[r.Service] }}, err
	}
	live, failed := s.builder().Live(r, inputs, filepath.Join(s.scratch, r.Service))
	if failed != nil {
		return nil, failed
	}
	reloaded := devloop.Reloaded{
		Service: r.Service, Root: s.cfg.Root, Inputs: inputs, Budget: s.budget, Rebuild: rebuild,
		Container: throughService{session, func(ctx context.Context) error { return s.leads(ctx, r.Service) }},
		Advice:    func(words string) string { return s.adviceFor(r, words) },
	}
	return reloaded.Unit(live), err
}

func (s *Stack) manifestsUnit(wired []wiring) devloop.Unit {
	unchanged := s.unchanged
	s.manifests = &devloop.Manifests{
		Label:   manifestsUnit,
		Apply:   func(ctx context.Context) (func(context.Context) error, error) { return s.applySaved(ctx, wired) },
		Healthy: func(ctx context.Context) error { return s.waitReachable(ctx, unchanged) },
	}
	s.watchManifests()
	return s.manifests
}

func (s *Stack) watchManifests() {
	files := append(s.secretsFiles(), s.cfg.File)
	s.manifests.Watch(append(files, s.rendered.Files()...), []string{s.cfg.OverlayDir()})
}

// dial opens the connection to a workload's agent, as soon as that can be had.
func (s *Stack) dial(condition *devloop.Condition, w wiring) (*livesync.Session, error) {
	rest, err := s.cluster.RESTConfig()
	if err != nil {
		return nil, err
	}
	dialer, err := portforward.New(rest, w.target)
	if err != nil {
		return nil, err
	}
	met := false // calls do not overlap
	return livesync.Open(livesync.Options{
		Dialer: dialer, Token: s.token, Patience: w.patience,
		OnChange: func(state livesync.State) {
			if !s.facts.Load().runs(condition.Service) {
				return // its session ends any moment
			}
			condition.Changed(state)
			if met = met || state.Connected; met { // before that, the gate knows more
				s.sink.Emit(devloop.StateOf(condition.Service, state))
			}
		},
		OnReplay: condition.Replayed,
	}), nil
}

// includes returns a function that has everything watched that the programs among
// units are made from now, whatever ignore files hide.
func (s *Stack) includes(units []devloop.Unit) func() {
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
		s.watcher.Include(watched, wants)
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
