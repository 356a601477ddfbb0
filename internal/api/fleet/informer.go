package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"zr/internal/api/kube"
	"zr/pkg/diagnose"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// watched are the resources that are followed. Of events those that warn tell why
// some pods do not start.
var watched = []object.Resource{object.Deployments, object.StatefulSets, object.DaemonSets, object.Jobs, object.ReplicaSets, object.Pods,
	object.Services, object.EndpointSlices, object.Events}

// Retries of a list or a watch are short at first: a server that restarts is back
// within a second or two.
const (
	retryFirst = 100 * time.Millisecond
	retryMost  = 2 * time.Second
)

var errNotListed = errors.New("not read yet")

// informer holds what a namespace has of the watched resources, kept current by
// watches: the server is asked for nothing again that it has told. It is safe for
// concurrent use.
type informer struct {
	kube *kube.Client

	mu      sync.Mutex
	held    map[string]map[string]object.Object // by the resource's name and the UID
	trouble map[string]error                    // why a resource cannot be followed now
	watches map[string]int64                    // how often the watch of a resource was begun
	took    time.Duration                       // by the last list
	changed chan struct{}                       // closed at the next change
}

func newInformer(client *kube.Client) *informer {
	i := &informer{kube: client, held: map[string]map[string]object.Object{}, trouble: map[string]error{}, watches: map[string]int64{}, changed: make(chan struct{})}
	for _, r := range watched {
		i.trouble[r.Name] = errNotListed
	}
	return i
}

// run follows the namespace until ctx ends.
func (i *informer) run(ctx context.Context) {
	var following sync.WaitGroup
	for _, r := range watched {
		following.Go(func() { i.follow(ctx, r) })
	}
	following.Wait()
}

func (i *informer) follow(ctx context.Context, r object.Resource) {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		began := time.Now()
		if err := i.listAndWatch(ctx, r); err != nil && ctx.Err() == nil && !lean.HasCode(err, 410) && !errors.Is(err, lean.ErrEndedAtOnce) {
			i.set(func() { i.trouble[r.Name] = err })
		}
		if time.Since(began) > retryMost {
			wait = retryFirst
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// listAndWatch returns when the watch cannot go on.
func (i *informer) listAndWatch(ctx context.Context, r object.Resource) error {
	fields := ""
	if r.Name == object.Events.Name {
		fields = "type!=Normal"
	}
	listing, cancel := context.WithTimeout(ctx, Deadline)
	began := time.Now()
	list, version, err := i.kube.List(listing, r, fields)
	cancel()
	if err != nil {
		return err
	}
	all := make(map[string]object.Object, len(list))
	for _, o := range list {
		all[o.Metadata().UID] = o
	}
	i.set(func() {
		i.held[r.Name], i.took = all, time.Since(began)
		delete(i.trouble, r.Name)
	})
	for err == nil && ctx.Err() == nil {
		i.mu.Lock()
		i.watches[r.Name]++
		i.mu.Unlock()
		version, err = i.kube.Watch(ctx, r, fields, version, func(c lean.Change) {
			i.set(func() {
				if c.Deleted {
					delete(all, c.Object.Metadata().UID)
				} else {
					all[c.Object.Metadata().UID] = c.Object
				}
			})
		})
	}
	return err
}

// set makes a change, and tells those who wait for one.
func (i *informer) set(change func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change()
	close(i.changed)
	i.changed = make(chan struct{})
}

// moved returns a channel that is closed at the next change.
func (i *informer) moved() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.changed
}

// restarts are how often the watch of a resource ended and was begun anew.
func (i *informer) restarts() map[string]int64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := map[string]int64{}
	for resource, watches := range i.watches {
		all[resource] = watches - 1
	}
	return all
}

// look returns what the namespace holds, and how long the server took for its last
// list; or why that is not known now.
func (i *informer) look() (*diagnose.Snapshot, time.Duration, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, r := range watched {
		if err := i.trouble[r.Name]; err != nil {
			return nil, i.took, err
		}
	}
	s := diagnose.NewSnapshot()
	for _, objects := range i.held {
		for _, o := range objects {
			s.Add(o)
		}
	}
	return s, i.took, nil
}
