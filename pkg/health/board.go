package health

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// kindsOf are the kinds that the rollouts of targets are read from. What no
// target is asks for no right to read it.
func kindsOf(targets []Target) []resource {
	kinds := []resource{deployments, statefulSets, replicaSets, pods}
	for kind, r := range map[string]resource{kindDaemonSet: daemonSets, kindJob: jobs} {
		if slices.ContainsFunc(targets, func(t Target) bool { return t.Kind == kind }) {
			kinds = append(kinds, r)
		}
	}
	if slices.ContainsFunc(targets, func(t Target) bool { return len(t.Services) > 0 }) {
		kinds = append(kinds, services, endpoints)
	}
	return kinds
}

// board holds what a namespace has of the watched kinds, kept current by
// watches. It is safe for concurrent use.
type board struct {
	kube  *kube
	ns    string
	kinds []resource

	mu      sync.Mutex
	objects map[string]map[types.UID]runtime.Object // by the resource's name
	cached  *snapshot
	before  map[types.UID]string // the versions of the events of the first list
	changed chan struct{}        // closed at the next change
	trouble map[string]error     // why a resource cannot be followed now
	waiting map[string]bool      // resources that were not listed yet
	synced  chan struct{}        // closed when every resource was listed
}

func newBoard(k *kube, ns string, kinds ...resource) *board {
	b := &board{
		kube: k, ns: ns, kinds: kinds,
		objects: map[string]map[types.UID]runtime.Object{},
		changed: make(chan struct{}), trouble: map[string]error{},
		waiting: map[string]bool{}, synced: make(chan struct{}),
	}
	for _, r := range kinds {
		b.waiting[r.name] = true
	}
	return b
}

// run follows the namespace until ctx ends. It fails at once where the user's
// role does not allow it; a server that does not answer is asked again.
func (b *board) run(ctx context.Context) error {
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

func (b *board) follow(ctx context.Context, r resource) error {
	wait := retryFirst
	for {
		began := time.Now()
		err := b.listAndWatch(ctx, r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if refused(err) {
			if r.optional {
				b.set(r, func() { b.objects[r.name] = nil })
				return nil
			}
			return err
		}
		b.mu.Lock()
		b.trouble[r.name] = err
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

// refused tells an answer that will be the same the next time.
func refused(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}

// listAndWatch returns nil when the watch ended as watches do.
func (b *board) listAndWatch(ctx context.Context, r resource) error {
	list, err := b.kube.list(ctx, r, b.ns)
	if err != nil {
		return err
	}
	all := map[types.UID]runtime.Object{}
	if err := meta.EachListItem(list, func(o runtime.Object) error {
		m, err := meta.Accessor(o)
		if err != nil {
			return err
		}
		all[m.GetUID()] = o
		return nil
	}); err != nil {
		return fmt.Errorf("reading the list of %s: %w", r.name, err)
	}
	version, err := meta.NewAccessor().ResourceVersion(list)
	if err != nil {
		return fmt.Errorf("reading the list of %s: %w", r.name, err)
	}
	b.set(r, func() {
		b.objects[r.name] = all
		if r.name == warnings.name && b.before == nil {
			b.before = versions(all)
		}
	})
	for {
		version, err = b.watchFrom(ctx, r, version)
		if err != nil || ctx.Err() != nil {
			return err
		}
	}
}

func versions(objects map[types.UID]runtime.Object) map[types.UID]string {
	out := make(map[types.UID]string, len(objects))
	for uid, o := range objects {
		if m, err := meta.Accessor(o); err == nil {
			out[uid] = m.GetResourceVersion()
		}
	}
	return out
}

// watchFrom follows the changes after a resource version, until the server
// ends the watch, and returns the version to go on from.
func (b *board) watchFrom(ctx context.Context, r resource, version string) (string, error) {
	began := time.Now()
	w, err := b.kube.watch(ctx, r, b.ns, version)
	if err != nil {
		return "", fmt.Errorf("watching %s in namespace %q: %w", r.name, b.ns, err)
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		if e.Type == watch.Error {
			return "", fmt.Errorf("watching %s in namespace %q: %w", r.name, b.ns, apierrors.FromObject(e.Object))
		}
		m, err := meta.Accessor(e.Object)
		if err != nil {
			return "", fmt.Errorf("watching %s in namespace %q: %w", r.name, b.ns, err)
		}
		version = m.GetResourceVersion()
		if e.Type == watch.Bookmark {
			continue
		}
		b.set(r, func() {
			if e.Type == watch.Deleted {
				delete(b.objects[r.name], m.GetUID())
			} else {
				b.objects[r.name][m.GetUID()] = e.Object
			}
		})
	}
	if time.Since(began) < time.Second {
		return "", errors.New("the server ended the watch at once") // or this would spin
	}
	return version, nil
}

// set changes the objects of a resource and wakes those who wait for changes.
func (b *board) set(r resource, change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
	b.trouble[r.name] = nil
	b.cached = nil
	if b.waiting[r.name] {
		delete(b.waiting, r.name)
		if len(b.waiting) == 0 {
			close(b.synced)
		}
	}
	b.announce()
}

// announce wakes those who wait. The caller holds the lock.
func (b *board) announce() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// isSynced tells whether every resource was listed.
func (b *board) isSynced() bool {
	select {
	case <-b.synced:
		return true
	default:
		return false
	}
}

// look returns what the namespace holds now, a channel that is closed at the
// next change, and why the view may be old, or nil.
func (b *board) look() (*snapshot, <-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cached == nil {
		b.cached = newSnapshot()
		b.cached.before = b.before
		for name, objects := range b.objects {
			b.cached.withheld[name] = objects == nil
			for _, o := range objects {
				b.cached.add(o)
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
func (k *kube) snapshotOf(ctx context.Context, ns string, kinds ...resource) (*snapshot, error) {
	lists := make([]runtime.Object, len(kinds))
	g, ctx := errgroup.WithContext(ctx)
	for i, r := range kinds {
		g.Go(func() error {
			list, err := k.list(ctx, r, ns)
			if err != nil && r.optional && refused(err) {
				return nil
			}
			lists[i] = list
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	s := newSnapshot()
	for i, list := range lists {
		if s.withheld[kinds[i].name] = list == nil; list == nil {
			continue
		}
		if err := meta.EachListItem(list, func(o runtime.Object) error { s.add(o); return nil }); err != nil {
			return nil, err
		}
	}
	return s, nil
}
