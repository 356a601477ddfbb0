package fleet

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"zr/internal/api/kube"
	"zr/internal/api/logstore/redact"
	"zr/internal/api/podprobe"
	"zr/internal/api/probe"
	"zr/internal/api/reason"
	"zr/pkg/diagnose"
)

// The reader's times.
const (
	// Deadline is what one list of Kubernetes may take, and how long the first
	// snapshot waits for all of them.
	Deadline = 3 * time.Second
	// gather is how long changes are gathered after the first: a rollout is many,
	// and each costs a look at all services.
	gather = 20 * time.Millisecond
	// lookEvery is how often the services are looked at where nothing changed:
	// some states end by the clock.
	lookEvery = time.Second
)

// Reader reads the services of a namespace, by watches. It is safe for concurrent
// use.
type Reader struct {
	kube     *kube.Client // nil outside of a cluster
	informer *informer    // nil outside of a cluster
	asker    *podprobe.Asker
	answerOf func(podprobe.Target) podprobe.Answer // of the asker
	probes   *probe.Set
	self     Self
	secrets  *redact.Redactor
	flaps    flaps // of look, which runs once at a time

	mu      sync.Mutex
	last    *Snapshot
	round   probe.Round
	changed chan struct{} // closed when there is a newer snapshot
	probed  chan struct{} // has one when there is a newer round
	ended   chan struct{} // closed when nothing is read any more
}

// Self is what the api knows of itself.
type Self struct {
	Service string // the name of its workload
	Build   string
	Started time.Time
}

// NewReader returns a Reader, which reads while it runs. Without a cluster (client is
// nil) it reads only what probes measure. Without probes (nil) it is of a namespace
// that the api does not run in, and measures nothing there.
// The secrets are taken out of what Kubernetes says, such as why a container does not
// start.
func NewReader(client *kube.Client, probes *probe.Set, self Self, secrets *redact.Redactor) *Reader {
	r := &Reader{kube: client, asker: podprobe.New(), probes: probes, self: self, secrets: secrets, flaps: flaps{}, changed: make(chan struct{}), probed: make(chan struct{}, 1), ended: make(chan struct{})}
	r.answerOf = r.asker.Of
	if client != nil {
		r.informer = newInformer(client)
	}
	return r
}

// Run reads until ctx ends.
func (r *Reader) Run(ctx context.Context) {
	var reading sync.WaitGroup
	defer close(r.ended)
	defer reading.Wait()
	if r.probes != nil {
		reading.Go(func() { r.probe(ctx) })
	}
	if r.informer != nil {
		reading.Go(func() { r.informer.run(ctx) })
		reading.Go(func() { r.ask(ctx) })
	}
	r.prepare(ctx)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		moved := r.moved()
		r.publish(r.look())
		select {
		case <-moved:
			sleep(ctx, gather)
		case <-r.probed:
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// prepare waits until everything was read and measured once, or the first error is
// known.
func (r *Reader) prepare(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, Deadline)
	defer cancel()
	if r.probes != nil {
		select {
		case <-r.probed:
		case <-ctx.Done():
		}
	}
	for r.informer != nil {
		moved := r.informer.moved()
		if _, _, err := r.informer.look(); !errors.Is(err, errNotListed) {
			return
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return
		}
	}
}

// WatchRestarts are how often the watch of a resource ended and was begun anew, by its
// name.
func (r *Reader) WatchRestarts() map[string]int64 {
	if r.informer == nil {
		return nil
	}
	return r.informer.restarts()
}

// moved returns a channel that is closed when Kubernetes tells a change.
func (r *Reader) moved() <-chan struct{} {
	if r.informer == nil {
		return nil
	}
	return r.informer.moved()
}

// probe measures what the api uses, every second.
func (r *Reader) probe(ctx context.Context) {
	for ctx.Err() == nil {
		round, err := r.probes.Round(ctx)
		if err == nil {
			r.mu.Lock()
			r.round = round
			r.mu.Unlock()
			select {
			case r.probed <- struct{}{}:
			default:
			}
		}
		sleep(ctx, lookEvery)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (r *Reader) publish(s *Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = s
	close(r.changed)
	r.changed = make(chan struct{})
}

// Snapshot returns how the services are. It is shared: do not change it.
func (r *Reader) Snapshot(ctx context.Context) (*Snapshot, error) { return r.Next(ctx, nil) }

// ErrEnded says that the services are not read any more.
var ErrEnded = errors.New("the services are not read any more")

// Next returns a snapshot that is newer than the last one that the caller has, nil
// where it has none, and waits for it: until ctx ends, or with ErrEnded.
func (r *Reader) Next(ctx context.Context, last *Snapshot) (*Snapshot, error) {
	for {
		r.mu.Lock()
		now, changed := r.last, r.changed
		r.mu.Unlock()
		if now != last {
			return now, nil
		}
		select {
		case <-changed:
		case <-r.ended:
			return nil, ErrEnded
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *Reader) look() *Snapshot {
	s := &Snapshot{At: time.Now().UTC(), Kubernetes: probe.Result{Status: probe.OK}, Services: []Service{}} // an empty list is [] in JSON
	err := error(kube.ErrNotInCluster)
	if r.informer != nil {
		s.Namespace = r.kube.Namespace()
		var held *diagnose.Snapshot
		var took time.Duration
		if held, took, err = r.informer.look(); err == nil {
			s.Services = append(s.Services, r.redacted(services(held, s.At))...)
			r.addAsked(s.Services)
		}
		s.Kubernetes.LatencyMS = milliseconds(took)
	}
	if err != nil {
		s.Kubernetes.Status, s.Kubernetes.Reason = probe.Down, kubernetesReason(err)
	}
	if r.probes != nil {
		r.mu.Lock()
		round := r.round
		r.mu.Unlock()
		r.addMeasured(s, round)
	}
	r.flaps.judge(s)
	return s
}

// redacted takes the secrets out of services that nobody else has yet.
func (r *Reader) redacted(all []Service) []Service {
	for i := range all {
		if why := all[i].Reason; why != nil {
			all[i].Reason = &Reason{why.Code, r.secrets.Text(why.Message)}
		}
		for j := range all[i].Pods {
			if why := all[i].Pods[j].Reason; why != nil {
				all[i].Pods[j].Reason = &Reason{why.Code, r.secrets.Text(why.Message)}
			}
		}
	}
	return all
}

func kubernetesReason(err error) string {
	switch {
	case errors.Is(err, kube.ErrNotInCluster):
		return kube.ErrNotInCluster.Error()
	case errors.Is(err, errNotListed):
		return reason.Timeout
	}
	return reason.Of(err)
}

// addMeasured joins what was measured with what Kubernetes says. A service
// that Kubernetes calls healthy and that the api cannot use is not healthy.
func (r *Reader) addMeasured(s *Snapshot, round probe.Round) {
	for name, result := range round {
		svc := s.service(name)
		svc.Measured, svc.Readiness = &result, &Readiness{Asks: "a query of its own kind", By: podprobe.ByAPI}
		switch {
		case result.Status == probe.OK && svc.Kind == "":
			svc.State = Healthy
		case result.Status != probe.OK && (svc.Kind == "" || svc.State == Healthy):
			svc.State, svc.Reason = Unhealthy, &Reason{Unreachable, "the api cannot use it: " + result.Reason}
		}
	}
	self := s.service(r.self.Service)
	if self.Measured == nil {
		self.Measured = &probe.Result{Status: probe.OK}
	}
	self.Build = r.self.Build
	if self.Kind == "" {
		self.State, self.Started = Healthy, r.self.Started
	}
	slices.SortFunc(s.Services, func(a, b Service) int { return cmp.Compare(a.Name, b.Name) })
}

// service returns the service of a name, which it adds where it is missing.
func (s *Snapshot) service(name string) *Service {
	i := slices.IndexFunc(s.Services, func(svc Service) bool { return svc.Name == name })
	if i < 0 {
		i = len(s.Services)
		s.Services = append(s.Services, Service{Name: name})
	}
	return &s.Services[i]
}
