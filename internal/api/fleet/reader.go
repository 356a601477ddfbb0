package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"zr/internal/api/kube"
	"zr/internal/api/latest"
	"zr/internal/api/probe"
	"zr/internal/api/reason"
	"zr/internal/api/store/cache"
	"zr/pkg/diagnose"
	"zr/pkg/kube/object"
)

// The reader's times.
const (
	// Deadline is what one look at Kubernetes and the dependencies may take.
	Deadline = 3 * time.Second
	// keep is how long a replica hands out one snapshot.
	keep = 250 * time.Millisecond
	// shared is how long all replicas hand out one look at Kubernetes: any
	// number of dashboards costs the Kubernetes API as many requests a second as
	// there are resources.
	shared = time.Second
	// cacheDeadline bounds the detour through the cache: what it saves is a
	// few milliseconds.
	cacheDeadline = 200 * time.Millisecond
)

// cacheKey changes with the shape of Workloads, so that replicas of two
// versions do not read each other's.
const cacheKey = "workloads:3:"

// Workloads is what Kubernetes says, and what replicas share.
type Workloads struct {
	At       time.Time `json:"at"`
	Services []Service `json:"services"`
}

// Reader reads the services of a namespace. It is safe for concurrent use.
type Reader struct {
	kube   *kube.Client // nil outside of a cluster
	cache  cache.Cache
	probes *probe.Set
	self   Self
	log    *slog.Logger

	flaps     flaps // of look, which runs once at a time
	snapshots *latest.Value[*Snapshot]
}

// Self is what the api knows of itself.
type Self struct {
	Service string // the name of its workload
	Build   string
	Started time.Time
}

// NewReader returns a Reader. Without a cluster (client is nil) it reads only
// what probes measure. Without probes (nil) it is of a namespace that the api does
// not run in, and measures nothing there.
func NewReader(client *kube.Client, c cache.Cache, probes *probe.Set, self Self, log *slog.Logger) *Reader {
	r := &Reader{kube: client, cache: c, probes: probes, self: self, log: log, flaps: flaps{}}
	r.snapshots = latest.New(Deadline, r.look, func(*Snapshot) time.Duration { return keep })
	return r
}

// Snapshot returns how the services are. It is shared: do not change it.
func (r *Reader) Snapshot(ctx context.Context) (*Snapshot, error) { return r.snapshots.Get(ctx) }

func (r *Reader) look(ctx context.Context) *Snapshot {
	begin := time.Now()
	s := &Snapshot{At: begin.UTC(), Kubernetes: probe.Result{Status: probe.OK}}
	var (
		wg    sync.WaitGroup
		round probe.Round
		err   error
	)
	if r.probes != nil {
		wg.Go(func() { round, _ = r.probes.Round(ctx) })
	}
	if r.kube == nil {
		err = kube.ErrNotInCluster
	} else {
		s.Namespace = r.kube.Namespace()
		var w Workloads
		if w, err = r.workloads(ctx); err == nil {
			s.At, s.Services = w.At, w.Services
		}
	}
	s.Kubernetes.LatencyMS = float64(time.Since(begin).Microseconds()) / 1000
	wg.Wait()
	if err != nil {
		s.Kubernetes.Status, s.Kubernetes.Reason = probe.Down, kubernetesReason(err)
	}
	if r.probes != nil {
		r.addMeasured(s, round)
	}
	if s.Services == nil {
		s.Services = []Service{} // an empty list is [] in JSON
	}
	r.flaps.judge(s)
	return s
}

func kubernetesReason(err error) string {
	if errors.Is(err, kube.ErrNotInCluster) {
		return kube.ErrNotInCluster.Error()
	}
	return reason.Of(err)
}

// addMeasured joins what was measured with what Kubernetes says. A service
// that Kubernetes calls healthy and that the api cannot use is not healthy.
func (r *Reader) addMeasured(s *Snapshot, round probe.Round) {
	for name, result := range round {
		svc := s.service(name)
		svc.Measured = &result
		switch {
		case result.Status == probe.OK && svc.Kind == "":
			svc.State = Healthy
		case result.Status != probe.OK && (svc.Kind == "" || svc.State == Healthy):
			svc.State, svc.Reason = Unhealthy, &Reason{Unreachable, "the api cannot use it: " + result.Reason}
		}
	}
	self := s.service(r.self.Service)
	self.Measured = &probe.Result{Status: probe.OK}
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

// workloads returns what another replica saw a moment ago, or asks Kubernetes
// and tells the others. The cache is a saving: without it everything works.
func (r *Reader) workloads(ctx context.Context) (Workloads, error) {
	key := cacheKey + r.kube.Namespace()
	if w, ok := r.cached(ctx, key); ok {
		return w, nil
	}
	w, err := r.ask(ctx)
	if err != nil {
		return w, err
	}
	if value, err := json.Marshal(w); err == nil {
		ctx, cancel := context.WithTimeout(ctx, cacheDeadline)
		defer cancel()
		if err := r.cache.Set(ctx, key, value, shared); err != nil {
			r.log.Debug("the snapshot was not shared", "error", err)
		}
	}
	return w, nil
}

func (r *Reader) cached(ctx context.Context, key string) (w Workloads, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, cacheDeadline)
	defer cancel()
	value, found, err := r.cache.Get(ctx, key)
	if err != nil {
		r.log.Debug("the shared snapshot was not read", "error", err)
		return w, false
	}
	return w, found && json.Unmarshal(value, &w) == nil
}

// looked are the resources that are read in each look. Only events tell why some
// pods do not start; a healthy namespace is not asked for them.
var looked = []object.Resource{object.Deployments, object.StatefulSets, object.DaemonSets, object.Jobs, object.ReplicaSets, object.Pods,
	object.Services, object.EndpointSlices}

func (r *Reader) ask(ctx context.Context) (Workloads, error) {
	w := Workloads{At: time.Now().UTC()}
	held, err := r.list(ctx, looked, "")
	if err != nil {
		return w, err
	}
	w.Services = services(held, w.At)
	if !slices.ContainsFunc(w.Services, func(s Service) bool { return s.State != Healthy && (s.Reason == nil || s.Reason.Code != Stopped) }) {
		return w, nil
	}
	events, err := r.list(ctx, []object.Resource{object.Events}, "type!=Normal")
	if err != nil {
		return w, err
	}
	w.Services = services(held.WithEvents(events), w.At)
	return w, nil
}

// list reads resources of the namespace at the same time.
func (r *Reader) list(ctx context.Context, resources []object.Resource, fields string) (*diagnose.Snapshot, error) {
	var (
		wg      sync.WaitGroup
		objects = make([][]object.Object, len(resources))
		errs    = make([]error, len(resources))
	)
	for i, resource := range resources {
		wg.Go(func() {
			objects[i], errs[i] = r.kube.List(ctx, resource, fields)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s := diagnose.NewSnapshot()
	for _, list := range objects {
		for _, o := range list {
			s.Add(o)
		}
	}
	return s, nil
}
