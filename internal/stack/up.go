package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"zr/pkg/build"
	"zr/pkg/cluster"
	"zr/pkg/cluster/statedir"
	"zr/pkg/deploy/lease"
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
	err = s.up(ctx, mergeKubeconfig)
	s.tellFailure(ctx, err)
	if err != nil || s.cfg.Dashboard || s.options.Dashboard == nil {
		return err
	}
	return s.withoutDashboard(ctx)
}

// up is a whole run, with the dashboard where that is wanted.
func (s *Stack) up(ctx context.Context, mergeKubeconfig bool) error {
	start := time.Now()
	return s.bringUp(ctx, func(p *project, on *connection, reached []endpoint) error {
		dashboard, login, err := p.upDashboard(ctx, on)
		if err == nil && login == "" {
			if p, err = p.byClass(ctx, on); err == nil {
				login, err = p.loginLink(reached)
			}
		}
		if err != nil {
			return err
		}
		p.sink.Emit(event.Ready{Endpoints: and(urls(reached), dashboard), Login: login, Took: time.Since(start), Next: on.lines.Zr("dev")})
		if mergeKubeconfig {
			return on.cluster.MergeKubeconfig("")
		}
		return nil
	})
}

// bringUp brings the environment up to where it is healthy and reached at its ports,
// and then calls then. Each step finds out by itself what there is to do, so that a run
// which was killed anywhere is fixed by the next.
func (s *Stack) bringUp(ctx context.Context, then func(p *project, on *connection, reached []endpoint) error) error {
	p, err := s.prepare(ctx)
	if err != nil {
		return err
	}
	var l runLease
	defer l.release()
	runs, err := p.deploy(ctx, &l)
	if none := (*noCluster)(nil); errors.As(err, &none) {
		return none.error
	}
	if err != nil {
		return err
	}
	on := runs.on
	defer on.close()
	p.meetOwnAPI()
	ahead := p.askAhead(ctx, runs)
	load := func(ctx context.Context) error { return p.load(ctx, on, runs.images.results, nil) }
	proven := statedir.Proven(p.cfg.Set())
	err = waitHealthy(ctx, on.gate, p.targetsOn(ctx, on), p.sink, on.lookFor(runs.unchanged, proven), load)
	asked := ahead()
	if err != nil {
		return errors.Join(err, statedir.Unprove(p.cfg.Set()))
	}
	p.meetOwnAPI() // it is up now, and is told what this run has done, which ends soon
	ports, err := p.openPorts(ctx, on, runs.plan, asked)
	if err != nil {
		return err
	}
	if !proven {
		if err := statedir.Prove(p.cfg.Set()); err != nil {
			return err
		}
	}
	return then(p, on, ports.asked)
}

// prepare reads and checks what the project says, and takes the environment for
// this checkout. It changes nothing in a cluster.
func (s *Stack) prepare(ctx context.Context) (*project, error) {
	p, err := s.renderWithSecrets(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.cfg.CheckSources(); err != nil { // before a cluster is made
		return nil, err
	}
	return p.claim()
}

// deployed is what a run has made a cluster say.
type deployed struct {
	on        *connection
	plan      portPlan
	images    made
	unchanged bool // it said so before
}

// deploy makes the cluster say what the project says, and waits for nobody's
// health. It takes the lease before it changes anything. The error is a noCluster
// where there is no cluster to say it.
func (p *project) deploy(ctx context.Context, l *runLease) (runs deployed, err error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	early := newEarlyLoad(ctx)
	if runs, err = p.clusterAndImages(ctx, early); err == nil {
		err = step{stepApply, "apply " + p.cfg.Overlay, func(ctx context.Context) (o outcome, err error) { // diff, images, apply
			runs.images, o, err = p.apply(ctx, runs.on, l, runs.images, early)
			runs.unchanged = o.unchanged
			if err == nil {
				err = p.keep(ctx, runs.on.deployer)
			}
			return o, err
		}}.run(ctx, p.sink)
	}
	if err != nil {
		runs.on.close()
		return deployed{}, err
	}
	if !runs.unchanged {
		runs.plan.held = nil // the cluster may have chosen other ports
	}
	return runs, nil
}

// clusterAndImages are the two parts of a run that take minutes, and what they
// would be in vain for. It may return a connection with an error.
func (p *project) clusterAndImages(ctx context.Context, early *earlyLoad) (runs deployed, err error) {
	f, reached, pulls := newForesight(), make(chan struct{}), make(chan struct{})
	var unreached error
	err = together(ctx, p.sink,
		step{stepCluster, "cluster " + p.clusterName(), func(ctx context.Context) (o outcome, err error) { // find it, bring it back or make it
			if runs.on, o, err = p.ensureCluster(ctx, early); err == nil {
				runs.plan, err = p.planPorts(ctx, runs.on)
			}
			switch {
			case err == nil:
				if o.unchanged {
					f.found <- runs.on
				}
				close(reached)
			case ctx.Err() == nil:
				unreached = err
			}
			return o, err
		}},
		step{do: func(ctx context.Context) (outcome, error) { // whether what it needs there is there, and its nodes may pull
			select {
			case <-ctx.Done():
				return outcome{}, ctx.Err()
			case <-reached:
			}
			if p.dev != nil { // which uses them, also where nothing is applied
				if err := runs.on.deployer.May(ctx, p.rights()); err != nil {
					return outcome{}, err
				}
			}
			if err := p.othersAreThere(ctx, runs.on); err != nil {
				return outcome{}, err
			}
			if err := p.nodesMayPull(ctx, runs.on); err != nil {
				return outcome{}, err
			}
			close(pulls)
			return outcome{}, nil
		}},
		step{do: func(ctx context.Context) (outcome, error) { // what nobody wants any more
			select {
			case <-ctx.Done():
				return outcome{}, ctx.Err()
			case <-reached:
			}
			return outcome{}, p.keepAndClean(ctx, runs.on)
		}},
		step{stepBuild, "build images", func(ctx context.Context) (o outcome, err error) { // source in, images out
			defer close(f.built)
			builds := p
			if p.can().Platform == "" {
				select {
				case <-ctx.Done():
					return outcome{}, ctx.Err()
				case <-pulls: // its nodes, which have also said what to build for
					builds = p.onPlatforms(runs.on.platforms)
				}
			}
			if runs.images, o, err = builds.build(ctx, f.needsBuild); err == nil {
				early.built(runs.images.results)
			}
			return o, err
		}},
		step{do: func(ctx context.Context) (outcome, error) { return outcome{}, p.foresee(ctx, f) }}, // whether the cluster will take it
	)
	if unreached != nil {
		err = &noCluster{err}
	}
	return runs, err
}

// ensureCluster finds the cluster, which takes milliseconds, or makes it. The outcome
// is unchanged where it was there.
func (p *project) ensureCluster(ctx context.Context, early *earlyLoad) (*connection, outcome, error) {
	provider := p.provider(func(ctx context.Context, nodes []cluster.Node) { p.loadEarly(ctx, nodes, early) })
	c, err := provider.Find(ctx)
	found, gone := err == nil, errors.Is(err, cluster.ErrNotFound)
	if gone {
		if err := p.rendered.NeedsNamespace(); err != nil {
			return nil, outcome{}, err
		}
		if err := p.endRelays(ctx); err != nil { // they have ports that a new one publishes
			return nil, outcome{}, err
		}
	}
	if !found {
		if err := p.preflight(ctx, provider, gone); err != nil {
			return nil, outcome{}, err
		}
		p.fetchExternal(early.run)
		if c, err = provider.Ensure(ctx, p.sink); err != nil {
			return nil, outcome{}, err
		}
	}
	platforms, err := p.choosePlatforms(ctx, c)
	if err != nil {
		return nil, outcome{}, err
	}
	on, err := p.connect(provider, c)
	if err != nil {
		return nil, outcome{}, err
	}
	on.platforms = platforms
	return on, outcome{detail: c.Context, unchanged: found}, nil
}

// build makes the images of the project's sources. missing is called before one has
// to be made; it may be nil.
func (p *project) build(ctx context.Context, missing func()) (made, outcome, error) {
	requests := p.images()
	results, err := build.All(ctx, kinds.With(p.deps(missing)), slices.Concat(requests, p.beside()), build.Parallel{Sink: p.sink, Step: stepBuild})
	if err != nil {
		return made{}, outcome{}, err
	}
	fresh := 0
	for _, r := range results {
		if !r.Cached {
			fresh++
		}
	}
	built := made{results: results[:len(requests)], requests: requests, beside: map[string][]build.Result{}}
	for _, r := range results[len(requests):] {
		built.beside[r.Service] = append(built.beside[r.Service], r)
	}
	return built, outcome{detail: fmt.Sprintf("%d of %d built", fresh, len(results)), unchanged: fresh == 0}, nil
}

// apply makes the cluster say what the overlay says. Images travel before the
// pods that need them are made, and only where something changes. It returns the
// images that run then: those of services under reload may be the ones before.
func (p *project) apply(ctx context.Context, on *connection, l *runLease, built made, early *earlyLoad) (running made, o outcome, err error) {
	if p.dev != nil {
		if built, err = p.keepRunning(ctx, on, built); err != nil {
			return made{}, outcome{}, err
		}
	}
	if err := p.pin(ctx, built, on); err != nil {
		return made{}, outcome{}, err
	}
	changes, err := on.deployer.Diff(ctx, p.rendered)
	if err == nil && !changes.Empty() {
		if err := on.deployer.May(ctx, p.rights()); err != nil {
			return made{}, outcome{}, err
		}
		var done context.CancelFunc
		if ctx, done, err = p.takeLease(ctx, l, on.deployer); err != nil {
			return made{}, outcome{}, err
		}
		defer done()
		if l.afterOthers() {
			changes, err = on.deployer.Diff(ctx, p.rendered)
		}
	}
	if diverged := p.diverged(changes, on.lines); diverged != nil {
		err = diverged // it may be why the rest is refused
	}
	if err != nil {
		return made{}, outcome{}, err
	}
	p.excuse(changes.Stopped)
	for _, w := range changes.Warnings {
		p.sink.Emit(event.Notice{Text: w})
	}
	if err := p.claimed(); err != nil {
		return made{}, outcome{}, err
	}
	if changes.Empty() {
		return built, outcome{detail: "nothing changed", unchanged: true}, nil
	}
	if err := errors.Join(p.mayDelete(changes, on.lines), p.mayTakeBack(changes, on.lines)); err != nil {
		return made{}, outcome{}, err
	}
	if err := statedir.Unprove(p.cfg.Set()); err != nil {
		return made{}, outcome{}, err
	}
	if early != nil && early.begun.Load() {
		err = p.applyWhileLoading(ctx, on, changes, built.results, early)
	} else if err = p.load(ctx, on, built.results, early); err == nil {
		err = on.deployer.Apply(ctx, p.rendered, changes, p.sink)
	}
	if err = p.orLost(ctx, on.lines, err); errors.Is(err, lease.ErrLost) {
		l.release() // the next save takes it anew
	}
	return built, outcome{detail: Summary(changes)}, err
}

// look looks at targets once.
type look func(ctx context.Context, targets []health.Target) ([]health.Status, error)

// lookFor returns what may take the place of a wait: nothing where something was
// applied, and the quick look where a whole wait has proven what runs.
func (c *connection) lookFor(unchanged, proven bool) look {
	switch {
	case !unchanged:
		return nil
	case proven:
		return c.gate.CheckProven
	}
	return c.gate.Check
}

// waitHealthy is the gate. Where nothing changed, one look is enough; what it
// finds wrong is loaded again, since an image may be gone, and waited for.
func waitHealthy(ctx context.Context, gate *health.Gate, targets []health.Target, sink event.Sink, look look, load func(context.Context) error) error {
	if look != nil {
		statuses, err := look(ctx, targets)
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
