package stack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zr/pkg/build"
	"zr/pkg/cluster"
	"zr/pkg/event"
	"zr/pkg/health"
)

// The names of the steps of a run.
const (
	stepCluster = cluster.Step
	stepBuild   = "build"
	stepImages  = "images"
	stepApply   = "apply"
)

// Up makes the environment run what the project says, and waits until it is
// healthy and reached at its ports. It waits for another run on the environment
// and is refused beside a `zr dev`. With mergeKubeconfig it adds the cluster to the
// user's own kubeconfig.
func (s *Stack) Up(ctx context.Context, mergeKubeconfig bool) error {
	unlock, err := s.lockRun(ctx, "up")
	if err != nil {
		return err
	}
	defer unlock()
	return s.up(ctx, mergeKubeconfig)
}

// up is a whole run. Each step finds out by itself what there is to do, so
// that a run which was killed anywhere is mended by the next.
func (s *Stack) up(ctx context.Context, mergeKubeconfig bool) error {
	start := time.Now()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	runs, err := s.deploy(ctx)
	if none := (*noCluster)(nil); errors.As(err, &none) {
		return none.error
	}
	if err != nil {
		return err
	}
	on := runs.on
	defer on.close()
	ahead := s.askAhead(ctx, on, runs.unchanged)
	load := func(ctx context.Context) error { return s.load(ctx, on, runs.images.results, nil) }
	err = waitHealthy(ctx, on.gate, s.targets(on.lines), s.sink, runs.unchanged, load)
	asked := ahead()
	if err != nil {
		return err
	}
	if err := s.openPorts(ctx, on, asked); err != nil {
		return err
	}
	login, err := s.loginLink(s.reached)
	if err != nil {
		return err
	}
	s.sink.Emit(event.Ready{Endpoints: urls(s.reached), Login: login, Took: time.Since(start), Next: on.lines.Zr("dev")})
	if mergeKubeconfig {
		return on.cluster.MergeKubeconfig("")
	}
	return nil
}

// prepare reads and checks what the project says, and takes the environment for
// this checkout. It changes nothing in a cluster.
func (s *Stack) prepare(ctx context.Context) error {
	if err := s.renderSettled(ctx); err != nil {
		return err
	}
	if err := s.cfg.CheckSources(); err != nil { // before a cluster is made
		return err
	}
	s.reached = nil // by nobody yet, in what is brought up now
	return s.claim()
}

// deployed is what a run has made a cluster say.
type deployed struct {
	on        *connection
	images    made
	unchanged bool // it said so before
}

// deploy makes the cluster say what the project says, and waits for nobody's
// health. The error is a noCluster where there is no cluster to say it.
func (s *Stack) deploy(ctx context.Context) (runs deployed, err error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	early := newEarlyLoad(ctx)
	if runs.on, runs.images, err = s.clusterAndImages(ctx, early); err == nil {
		err = step{stepApply, "apply " + s.cfg.Overlay, func(ctx context.Context) (o outcome, err error) { // diff, images, apply
			runs.images, o, err = s.apply(ctx, runs.on, runs.images, early)
			runs.unchanged = o.unchanged
			return o, err
		}}.run(ctx, s.sink)
	}
	if err != nil {
		runs.on.close()
		return deployed{}, err
	}
	return runs, nil
}

// clusterAndImages are the two parts of a run that take minutes, and what they
// would be in vain for. It may return a connection with an error.
func (s *Stack) clusterAndImages(ctx context.Context, early *earlyLoad) (on *connection, images made, err error) {
	f, reached, pulls := newForesight(), make(chan struct{}), make(chan struct{})
	var unreached error
	err = together(ctx, s.sink,
		step{stepCluster, "cluster " + s.clusterName(), func(ctx context.Context) (o outcome, err error) { // find it, bring it back or make it
			on, o, err = s.ensureCluster(ctx, early)
			if err == nil && o.unchanged {
				f.found <- on
			}
			if err == nil {
				close(reached)
			} else if ctx.Err() == nil {
				unreached = err
			}
			return o, err
		}},
		step{do: func(ctx context.Context) (outcome, error) { // whether its nodes may pull
			select {
			case <-ctx.Done():
				return outcome{}, ctx.Err()
			case <-reached:
			}
			if err := s.nodesMayPull(ctx, on); err != nil {
				return outcome{}, err
			}
			close(pulls)
			return outcome{}, nil
		}},
		step{stepBuild, "build images", func(ctx context.Context) (o outcome, err error) { // source in, images out
			defer close(f.built)
			if s.can().Platform == "" {
				select {
				case <-ctx.Done():
					return outcome{}, ctx.Err()
				case <-pulls: // its nodes, which have also said what to build for
				}
			}
			if images, o, err = s.build(ctx, f.needsBuild); err == nil {
				early.built(images.results)
			}
			return o, err
		}},
		step{do: func(ctx context.Context) (outcome, error) { return outcome{}, s.foresee(ctx, f) }}, // whether the cluster will take it
	)
	if unreached != nil {
		err = &noCluster{err}
	}
	return on, images, err
}

// ensureCluster finds the cluster, which takes milliseconds, or makes it. It may return
// a connection with an error.
func (s *Stack) ensureCluster(ctx context.Context, early *earlyLoad) (*connection, outcome, error) {
	ports, err := s.publishPorts()
	if err != nil {
		return nil, outcome{}, err
	}
	s.provider = s.newProvider(mapping(ports), func(ctx context.Context, nodes []cluster.Node) { s.loadEarly(ctx, nodes, early) })
	c, err := s.provider.Find(ctx)
	found := err == nil
	if errors.Is(err, cluster.ErrNotFound) {
		if err := s.rendered.NeedsNamespace(); err != nil {
			return nil, outcome{}, err
		}
	}
	if !found {
		gone := errors.Is(err, cluster.ErrNotFound)
		if gone {
			if err := s.endRelays(ctx); err != nil { // they have ports that a new one publishes
				return nil, outcome{}, err
			}
		}
		if err := s.preflight(ctx, gone); err != nil {
			return nil, outcome{}, err
		}
		s.fetchExternal(early.run)
		if c, err = s.provider.Ensure(ctx, s.sink); err != nil {
			return nil, outcome{}, err
		}
	}
	on, err := s.connect(s.provider, c)
	if err != nil {
		return nil, outcome{}, err
	}
	if err := s.choosePlatform(ctx, c); err != nil {
		return on, outcome{}, err
	}
	return on, outcome{detail: c.Context, unchanged: found}, s.planPorts(ctx, on)
}

// build makes the images of the project's sources. missing is called before one has
// to be made; it may be nil.
func (s *Stack) build(ctx context.Context, missing func()) (made, outcome, error) {
	requests := s.images()
	results, err := build.All(ctx, kinds.With(s.deps(missing)), requests, build.Parallel{Sink: s.sink, Step: stepBuild})
	if err != nil {
		return made{}, outcome{}, err
	}
	fresh := 0
	for _, r := range results {
		if !r.Cached {
			fresh++
		}
	}
	return made{results, requests}, outcome{detail: fmt.Sprintf("%d of %d built", fresh, len(results)), unchanged: fresh == 0}, nil
}

// apply makes the cluster say what the overlay says. Images travel before the
// pods that need them are made, and only where something changes. It returns the
// images that run then: those of services under reload may be the ones before.
func (s *Stack) apply(ctx context.Context, on *connection, built made, early *earlyLoad) (running made, o outcome, err error) {
	if s.dev != nil {
		if built, err = s.keepRunning(ctx, on, built); err != nil {
			return made{}, outcome{}, err
		}
	}
	if err := s.pin(ctx, built, true); err != nil {
		return made{}, outcome{}, err
	}
	changes, err := on.deployer.Diff(ctx, s.rendered)
	if err == nil && !changes.Empty() {
		var done context.CancelFunc
		if ctx, done, err = s.takeLease(ctx, on.deployer); err != nil {
			return made{}, outcome{}, err
		}
		defer done()
		if s.afterOthers() {
			changes, err = on.deployer.Diff(ctx, s.rendered)
		}
	}
	if err != nil {
		return made{}, outcome{}, err
	}
	for _, w := range changes.Warnings {
		s.sink.Emit(event.Notice{Text: w})
	}
	if err := s.claimed(); err != nil {
		return made{}, outcome{}, err
	}
	if changes.Empty() {
		return built, outcome{detail: "nothing changed", unchanged: true}, nil
	}
	if err := errors.Join(s.mayDelete(changes, on.lines), s.runsHere(ctx, on, built)); err != nil {
		return made{}, outcome{}, err
	}
	if early != nil && early.begun.Load() {
		err = s.applyWhileLoading(ctx, on, changes, built.results, early)
	} else if err = s.load(ctx, on, built.results, early); err == nil {
		err = on.deployer.Apply(ctx, s.rendered, changes, s.sink)
	}
	s.held = nil // the cluster may have chosen other ports
	return built, outcome{detail: Summary(changes)}, s.orLost(ctx, on.lines, err)
}

// waitHealthy is the gate. Where nothing changed, one look is enough; what it
// finds wrong is loaded again, since an image may be gone, and waited for.
func waitHealthy(ctx context.Context, gate *health.Gate, targets []health.Target, sink event.Sink, unchanged bool, load func(context.Context) error) error {
	if unchanged {
		statuses, err := gate.Check(ctx, targets)
		if err != nil {
			return err
		}
		healthy := true
		for _, status := range statuses {
			healthy = healthy && asMeant(status)
		}
		if healthy {
			for _, status := range statuses {
				sink.Emit(event.ServiceState{Service: status.Service, State: status.State, Reason: status.Reason, Build: status.Build})
			}
			return nil
		}
		if err := load(ctx); err != nil {
			return err
		}
	}
	return gate.Wait(ctx, targets, sink)
}
