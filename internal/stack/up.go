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

// UpOptions are what a run of up can be asked for beyond the rule.
type UpOptions struct {
	ChangeSecrets   bool // change also secrets that a volume may have been made with
	MergeKubeconfig bool // add the cluster to the user's own kubeconfig
}

// Up makes the environment run what the project says, and waits until it is
// healthy and reached at its ports. It waits for another run on the environment
// and is refused beside a `zr dev`.
func (s *Stack) Up(ctx context.Context, options UpOptions) error {
	s.changeSecrets = options.ChangeSecrets
	unlock, err := s.lockRun(ctx, "up")
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.up(ctx); err != nil {
		return err
	}
	if options.MergeKubeconfig {
		return s.cluster.MergeKubeconfig("")
	}
	return nil
}

// up is a whole run. Each step finds out by itself what there is to do, so
// that a run which was killed anywhere is mended by the next.
func (s *Stack) up(ctx context.Context) error {
	start := time.Now()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	unchanged, err := s.deploy(ctx)
	if err != nil {
		return err
	}
	ahead := s.askAhead(ctx, unchanged)
	err = waitHealthy(ctx, s.gate, s.targets(), s.sink, unchanged, s.load)
	asked := ahead()
	if err != nil {
		return err
	}
	if err := s.openPorts(ctx, asked); err != nil {
		return err
	}
	login, err := s.loginLink(s.reached)
	if err != nil {
		return err
	}
	s.sink.Emit(event.Ready{Endpoints: urls(s.reached), Login: login, Took: time.Since(start), Next: s.next()})
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

// deploy makes the cluster say what the project says, and waits for nobody's
// health.
func (s *Stack) deploy(ctx context.Context) (unchanged bool, err error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	s.early.Store(newEarlyLoad(ctx))
	defer s.early.Store(nil)
	if err := s.clusterAndImages(ctx); err != nil {
		return false, err
	}
	err = steps(ctx, s.sink,
		step{stepApply, "apply " + s.cfg.Overlay, func(ctx context.Context) (outcome, error) { // diff, images, apply
			o, err := s.apply(ctx)
			unchanged = o.unchanged
			return o, err
		}},
	)
	return unchanged, err
}

func (s *Stack) next() string {
	if s.dev {
		return ""
	}
	return s.lines.Zr("dev")
}

// clusterAndImages are the two parts of a run that take minutes, and what they
// would be in vain for.
func (s *Stack) clusterAndImages(ctx context.Context) error {
	f, reached := newForesight(), make(chan struct{})
	s.missing = f.needsBuild
	defer func() { s.missing = nil }()
	return together(ctx, s.sink,
		step{stepCluster, "cluster " + s.clusterName(), func(ctx context.Context) (outcome, error) { // find it, bring it back or make it
			o, err := s.reachCluster(ctx)
			f.found <- o.unchanged
			if err == nil {
				close(reached)
			}
			return o, err
		}},
		step{stepBuild, "build images", func(ctx context.Context) (outcome, error) { // source in, images out
			defer close(f.built)
			if s.can().Platform == "" {
				select {
				case <-ctx.Done():
					return outcome{}, ctx.Err()
				case <-reached: // whose nodes say what to build for
				}
			}
			return s.build(ctx)
		}},
		step{do: func(ctx context.Context) (outcome, error) { return outcome{}, s.foresee(ctx, f) }}, // whether the cluster will take it
	)
}

// ensureCluster finds the cluster, which takes milliseconds, or makes it.
func (s *Stack) ensureCluster(ctx context.Context) (outcome, error) {
	c, err := s.provider.Find(ctx)
	found := err == nil
	if errors.Is(err, cluster.ErrNotFound) {
		if err := s.rendered.NeedsNamespace(); err != nil {
			return outcome{}, err
		}
	}
	if !found {
		gone := errors.Is(err, cluster.ErrNotFound)
		if gone {
			if err := s.endRelays(ctx); err != nil { // they have ports that a new one publishes
				return outcome{}, err
			}
		}
		if err := s.preflight(ctx, gone); err != nil {
			return outcome{}, err
		}
		s.fetchExternal()
		if c, err = s.provider.Ensure(ctx, s.sink); err != nil {
			return outcome{}, err
		}
	}
	if err := s.connect(c); err != nil {
		return outcome{}, err
	}
	if err := s.choosePlatform(ctx); err != nil {
		return outcome{}, err
	}
	return outcome{detail: c.Context, unchanged: found}, s.planPorts(ctx)
}

// reachCluster is ensureCluster, and remembers why there is none.
func (s *Stack) reachCluster(ctx context.Context) (outcome, error) {
	o, err := s.ensureCluster(ctx)
	if ctx.Err() == nil {
		s.unreached = err
	}
	return o, err
}

// build makes the images of the project's sources and pins them.
func (s *Stack) build(ctx context.Context) (outcome, error) {
	requests := s.images()
	results, err := build.All(ctx, s.builder(), requests, build.Parallel{Sink: s.sink, Step: stepBuild})
	if err != nil {
		return outcome{}, err
	}
	s.built, s.builtOf = results, requests
	if early := s.early.Load(); early != nil {
		early.built(results)
	}
	fresh := 0
	for _, r := range results {
		if !r.Cached {
			fresh++
		}
	}
	return outcome{detail: fmt.Sprintf("%d of %d built", fresh, len(results)), unchanged: fresh == 0}, nil
}

// apply makes the cluster say what the overlay says. Images travel before the
// pods that need them are made, and only where something changes.
func (s *Stack) apply(ctx context.Context) (outcome, error) {
	if s.dev {
		if err := s.keepRunning(ctx); err != nil {
			return outcome{}, err
		}
	}
	if err := s.pin(ctx, true); err != nil {
		return outcome{}, err
	}
	changes, err := s.deployer.Diff(ctx, s.rendered)
	if err == nil && !changes.Empty() {
		var done context.CancelFunc
		if ctx, done, err = s.takeLease(ctx, s.deployer); err != nil {
			return outcome{}, err
		}
		defer done()
		if s.afterOthers() {
			changes, err = s.deployer.Diff(ctx, s.rendered)
		}
	}
	if err != nil {
		return outcome{}, err
	}
	for _, w := range changes.Warnings {
		s.sink.Emit(event.Notice{Text: w})
	}
	if err := s.claimed(); err != nil {
		return outcome{}, err
	}
	if changes.Empty() {
		return outcome{detail: "nothing changed", unchanged: true}, nil
	}
	if err := s.mayDelete(changes); err != nil {
		return outcome{}, err
	}
	if early := s.early.Load(); early != nil && early.begun.Load() {
		err = s.applyWhileLoading(ctx, changes)
	} else if err = s.load(ctx); err == nil {
		err = s.deployer.Apply(ctx, s.rendered, changes, s.sink)
	}
	s.held = nil // the cluster may have chosen other ports
	return outcome{detail: Summary(changes)}, s.orLost(ctx, err)
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
