package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/internal/devloop"
	"zr/pkg/build"
	"zr/pkg/cluster"
	"zr/pkg/cluster/engine"
	"zr/pkg/config"
	"zr/pkg/event"
	"zr/pkg/fault"
	"zr/pkg/livesync"
	"zr/pkg/logs"
	"zr/pkg/watch"
)

// OpenDev opens an environment for a session of `zr dev`, with dev images in place
// of those that are reloaded.
func OpenDev(cfg *config.Config, sink event.Sink, changeSecrets bool) (*Stack, error) {
	s, err := Open(cfg, sink)
	if err != nil {
		return nil, err
	}
	s.changeSecrets, s.budget = changeSecrets, devloop.NewBudget(build.DefaultJobs())
	if err := s.forDev(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// forDev makes the stack one of dev images.
func (s *Stack) forDev() error {
	agent, err := agentPath()
	if err != nil {
		return err
	}
	token, err := devToken(s.set())
	if err != nil {
		return err
	}
	s.dev, s.agent, s.token = true, agent, token
	s.builds = s.requests()
	return nil
}

// Decision is what a save of a file would do, and why.
type Decision = devloop.Decision

// Explain says what a change of a path would do to each service that it concerns.
// The path is read as config.Locate does.
func (s *Stack) Explain(ctx context.Context, path, project string) ([]Decision, error) {
	path, err := config.Locate(s.cfg.Root, path, ".", project)
	if err != nil {
		return nil, err
	}
	if err := s.forDev(); err != nil {
		return nil, err
	}
	if err := s.render(ctx); err != nil {
		return nil, err
	}
	var units []devloop.Unit
	for _, r := range s.builds {
		unit, err := s.unit(ctx, r, nil)
		if err != nil {
			return nil, err
		}
		units = append(units, unit)
	}
	return devloop.New(s.cfg.Root, append(units, s.manifestsUnit(nil)), s.sink).Explain(path), nil
}

// Command is an order of the user to a session.
type Command = devloop.Command

// Develop brings the stack up and keeps it in step until ctx ends. What breaks on
// the way, be it the user's code or the cluster, is told and mended.
func (s *Stack) Develop(ctx context.Context, commands chan devloop.Command) error {
	unlock, err := s.lockDev()
	if err != nil {
		return err
	}
	defer unlock()
	remove, err := s.makeScratch()
	if err != nil {
		return err
	}
	defer remove()
	if err := s.renderSettled(ctx); err != nil {
		return err
	}
	s.tellHelpers()
	watcher, err := watch.New(ctx, watch.Options{Roots: []string{s.cfg.Root}, Always: s.secretsFiles(), Quick: s.syncs, Sink: s.sink})
	if err != nil {
		return err
	}
	s.watcher = watcher
	group, ctx := errgroup.WithContext(ctx)
	batches := make(chan devloop.Batch)
	group.Go(func() error { return feed(ctx, watcher, batches) })
	session := &session{env: s, sink: s.sink, batches: batches, commands: commands}
	group.Go(func() error { return session.run(ctx) })
	return group.Wait()
}

// errRewired says that other services are built than a session is about.
var errRewired = errors.New("other services are built now")

// feed hands what a watcher sees to the loop.
func feed(ctx context.Context, w *watch.Watcher, batches chan<- devloop.Batch) error {
	return w.Run(ctx, func(b watch.Batch) {
		select {
		case <-ctx.Done():
		case batches <- batchOf(b):
		}
	})
}

// bringUp is part of environment.
func (s *Stack) bringUp(ctx context.Context) error {
	start := time.Now()
	s.unreached = nil
	unchanged, err := s.deploy(ctx)
	switch {
	case err != nil && (s.unreached != nil || errors.Is(err, engine.ErrNone) || errors.Is(err, cluster.ErrDown)):
		return &noCluster{err}
	case err != nil:
		return err
	}
	s.unchanged = unchanged
	s.ready = &readiness{say: func() {
		s.sink.Emit(event.Ready{Endpoints: s.facts.Load().urls, Took: time.Since(start)})
	}}
	return nil
}

// keepInStep is part of environment.
func (s *Stack) keepInStep(ctx context.Context, batches chan devloop.Batch, commands chan devloop.Command) error {
	for {
		err := s.loopOver(ctx, batches, commands)
		if !errors.Is(err, errRewired) {
			return err
		}
		s.unchanged = false // what was applied for the others was not waited for
	}
}

// loopOver keeps the services in step that are reloaded now, until ctx ends,
// what was brought up is gone, or other services are to be reloaded.
func (s *Stack) loopOver(ctx context.Context, batches chan devloop.Batch, commands chan devloop.Command) error {
	wired := s.facts.Load().wiring
	units, sessions, closeUnits, err := s.units(ctx, wired)
	if err != nil {
		return err
	}
	defer closeUnits()
	containers := map[string]devloop.Container{}
	for service, session := range sessions {
		containers[service] = session
	}
	s.containers = containers
	group, ctx := errgroup.WithContext(ctx)
	if modules, files := devloop.Outside(s.cfg.Root, units); len(modules)+len(files) > 0 {
		outside, err := watch.New(ctx, watch.Options{Roots: modules, Always: files, Sink: s.sink})
		if err != nil {
			return err
		}
		group.Go(func() error { return feed(ctx, outside, batches) })
	}
	s.ready.expect(units)
	include := s.includes(units)
	include()
	s.loop = devloop.New(s.cfg.Root, units, s.sink).After(s.loop)
	s.loop.Ended = func(unit string, err error) error {
		s.ready.ended(unit, err)
		include() // what it compiles may be other files now
		if unit == manifestsUnit && err == nil && anyLost(sessions) {
			return errRewired // what was applied lets this session in again
		}
		return s.rewired(wired)
	}
	provider, local := s.provider, s.local() // an apply may replace what the stack holds
	group.Go(func() error { return s.loop.Run(ctx, batches, commands) })
	group.Go(func() error { return s.followLogs(ctx) })
	group.Go(func() error { return s.sight.run(ctx, provider, local) })
	group.Go(func() error { return s.watchRelay(ctx) })
	group.Go(func() error { return s.watchOutside(ctx, containers, commands) })
	return group.Wait()
}

// anyLost tells that one of the sessions will not be let in any more.
func anyLost(sessions map[string]*livesync.Session) bool {
	for _, session := range sessions {
		if devloop.Lost(session.State().Err) {
			return true
		}
	}
	return false
}

func (s *Stack) followLogs(ctx context.Context) error {
	rest, err := s.cluster.RESTConfig()
	if err != nil {
		return err
	}
	reader, err := logs.New(rest)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		// A log that cannot be read is no reason to stop reloading; whether
		// the cluster is there is clusterWatch's to say.
		_ = reader.Follow(ctx, logs.Options{Namespace: s.facts.Load().namespace, Tail: logs.None, Follow: true}, func(l event.LogLine) { s.sink.Emit(l) })
		pause(ctx, time.Second)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func batchOf(b watch.Batch) devloop.Batch {
	out := devloop.Batch{Last: b.Last, Rescan: b.Rescan}
	for _, c := range b.Changes {
		out.Paths = append(out.Paths, c.Path)
	}
	return out
}

// secretsFiles are watched although git ignores them. A project need not have any.
func (s *Stack) secretsFiles() []string {
	dir := filepath.Join(s.cfg.Root, "config", "secrets")
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	return []string{filepath.Join(dir, s.cfg.Env+".env")}
}

// agentPath finds the agent's program, which `make build` puts beside zr.
func agentPath() (string, error) {
	zr, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding zr-agent: %w", err)
	}
	if zr, err = filepath.EvalSymlinks(zr); err != nil {
		return "", fmt.Errorf("finding zr-agent: %w", err)
	}
	agent := filepath.Join(filepath.Dir(zr), "zr-agent")
	if _, err := os.Stat(agent); err != nil {
		return "", fault.Hint(fmt.Errorf("finding zr-agent beside %s: %w", zr, err), "`make build` makes both")
	}
	return agent, nil
}
