package health

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/pkg/diagnose"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// resource is one kind of object that a gate looks at.
type resource struct {
	object.Resource
	// fields narrows the list on the server.
	fields string
	// optional ones may be forbidden by the user's role.
	optional bool
}

var (
	deployments  = resource{Resource: object.Deployments}
	statefulSets = resource{Resource: object.StatefulSets}
	daemonSets   = resource{Resource: object.DaemonSets}
	jobs         = resource{Resource: object.Jobs}
	replicaSets  = resource{Resource: object.ReplicaSets}
	pods         = resource{Resource: object.Pods}
	services     = resource{Resource: object.Services, optional: true}
	endpoints    = resource{Resource: object.EndpointSlices, optional: true}
	warnings     = resource{Resource: object.Events, fields: "type!=Normal", optional: true}
)

func (r resource) in(namespace string) lean.ListOptions {
	return lean.ListOptions{Namespace: namespace, Fields: r.fields}
}

// kindsOf are the kinds that the rollouts of targets are read from. What no
// target is asks for no right to read it.
func kindsOf(targets []Target) []resource {
	kinds := []resource{deployments, statefulSets, replicaSets, pods}
	for kind, r := range map[string]resource{object.DaemonSet: daemonSets, object.Job: jobs} {
		if slices.ContainsFunc(targets, func(t Target) bool { return t.Kind == kind }) {
			kinds = append(kinds, r)
		}
	}
	if slices.ContainsFunc(targets, func(t Target) bool { return len(t.Services) > 0 }) {
		kinds = append(kinds, services, endpoints)
	}
	return kinds
}

// informer holds what a namespace has of the watched kinds, kept current by
// watches. It is safe for concurrent use.
type informer struct {
	kube  *kube
	ns    string
	kinds []resource

	mu      sync.Mutex
	objects map[string]map[string]object.Object // by the resource's name
	cached  *diagnose.Snapshot
	before  map[string]string // the versions of the events of the first list
	changed chan struct{}     // closed at the next change
	trouble map[string]error  // why a resource cannot be followed now
	waiting map[string]bool   // resources that were not listed yet
	synced  chan struct{}     // closed when every resource was listed
}

func newInformer(k *kube, ns string, kinds ...resource) *informer {
	b := &informer{
		kube: k, ns: ns, kinds: kinds,
		objects: map[string]map[string]object.Object{},
		changed: make(chan struct{}), trouble: map[string]error{},
		waiting: map[string]bool{}, synced: make(chan struct{}),
	}
	for _, r := range kinds {
		b.waiting[r.Name] = true
	}
	return b
}

// run follows the namespace until ctx ends. It fails at once where the user's
// role does not allow it; a server that does not answer is asked again.
func (b *informer) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, r := range b.kinds {
		g.Go(func() error { return b.follow(ctx, r) })
	}
	return g.Wait()
}

// retries of a list or watch: short at first, as a server that restarts is
// back within a second or two.
const (
	retryFirst = 100 * time.Millisecond
	retryMost  = 2 * time.Second
)

func (b *informer) follow(ctx context.Context, r resource) error {
	wait := retryFirst
	for {
		began := time.Now()
		err := b.listAndWatch(ctx, r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if lean.Refused(err) {
			if r.optional {
				b.set(r, func() { b.objects[r.Name] = nil })
				return nil
			}
			return err
		}
		b.mu.Lock()
		b.trouble[r.Name] = err
		if err != nil {
			b.announce()
		}
		b.mu.Unlock()
		if time.Since(began) > retryMost {
			wait = retryFirst
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, retryMost)
	}
}

// listAndWatch returns nil when the watch ended as watches do.
func (b *informer) listAndWatch(ctx context.Context, r resource) error {
	list, version, err := b.kube.List(ctx, r.Resource, r.in(b.ns))
	if err != nil {
		return err
	}
	all := make(map[string]object.Object, len(list))
	for _, o := range list {
		all[o.Metadata().UID] = o
	}
	b.set(r, func() {
		b.objects[r.Name] = all
		if r.Name == warnings.Name && b.before == nil {
			b.before = versions(all)
		}
	})
	for err == nil && ctx.Err() == nil {
		version, err = b.kube.Watch(ctx, r.Resource, version, r.in(b.ns), func(c lean.Change) {
			b.set(r, func() {
				if uid := c.Object.Metadata().UID; c.Deleted {
					delete(b.objects[r.Name], uid)
				} else {
					b.objects[r.Name][uid] = c.Object
				}
			})
		})
	}
	return err
}

func versions(objects map[string]object.Object) map[string]string {
	out := make(map[string]string, len(objects))
	for uid, o := range objects {
		out[uid] = o.Metadata().ResourceVersion
	}
	return out
}

// set changes the objects of a resource and wakes those who wait for changes.
func (b *informer) set(r resource, change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
	b.trouble[r.Name] = nil
	b.cached = nil
	if b.waiting[r.Name] {
		delete(b.waiting, r.Name)
		if len(b.waiting) == 0 {
			close(b.synced)
		}
	}
	b.announce()
}

// announce wakes those who wait. The caller holds the lock.
func (b *informer) announce() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// isSynced tells whether every resource was listed.
func (b *informer) isSynced() bool {
	select {
	case <-b.synced:
		return true
	default:
		return false
	}
}

// look returns what the namespace holds now, a channel that is closed at the
// next change, and why the view may be old, or nil.
func (b *informer) look() (*diagnose.Snapshot, <-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cached == nil {
		b.cached = diagnose.NewSnapshot()
		b.cached.Before = b.before
		for name, objects := range b.objects {
			b.cached.Withheld[name] = objects == nil
			for _, o := range objects {
				b.cached.Add(o)
			}
		}
	}
	var trouble error
	for _, err := range b.trouble {
		if err != nil {
			trouble = err
		}
	}
	return b.cached, b.changed, trouble
}

// snapshotOf reads a namespace once, without watches.
func (k *kube) snapshotOf(ctx context.Context, ns string, kinds ...resource) (*diagnose.Snapshot, error) {
	lists := make([][]object.Object, len(kinds))
	withheld := make([]bool, len(kinds))
	g, ctx := errgroup.WithContext(ctx)
	for i, r := range kinds {
		g.Go(func() (err error) {
			lists[i], _, err = k.List(ctx, r.Resource, r.in(ns))
			if withheld[i] = r.optional && lean.Refused(err); withheld[i] {
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	s := diagnose.NewSnapshot()
	for i, list := range lists {
		s.Withheld[kinds[i].Name] = withheld[i]
		for _, o := range list {
			s.Add(o)
		}
	}
	return s, nil
}
