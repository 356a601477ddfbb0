package follow

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// list returns the pods of the namespace that the selector takes, and the version
// to watch them from.
func (f *follower) list(ctx context.Context) (pods []*object.Pod, version string, err error) {
	objects, version, err := f.client.List(ctx, object.Pods, f.options.pods())
	if err != nil {
		return nil, "", fmt.Errorf("following logs: %w", err)
	}
	for _, o := range objects {
		if p, ok := o.(*object.Pod); ok {
			pods = append(pods, p)
		}
	}
	return pods, version, nil
}

func (o Options) pods() lean.ListOptions {
	return lean.ListOptions{Namespace: o.Namespace, Labels: o.Selector}
}

// watch keeps the pods current and follows new ones, until ctx ends.
func (f *follower) watch(ctx context.Context, g *errgroup.Group, version string) error {
	change := func(p *object.Pod, deleted bool) { f.change(ctx, g, p, deleted) }
	wait := retryFirst
	for {
		next, err := f.client.Watch(ctx, object.Pods, version, f.options.pods(), func(c lean.Change) {
			if p, ok := c.Object.(*object.Pod); ok {
				change(p, c.Deleted)
			}
		})
		version = next
		if err == nil && ctx.Err() == nil {
			wait = retryFirst
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, retryMost)
		pods, latest, err := f.list(ctx)
		if lean.Refused(err) {
			return err
		}
		if err != nil {
			continue // the next watch fails too, and so comes back here
		}
		version = latest
		f.reconcile(pods, change)
	}
}

// reconcile takes a whole list: pods that are not in it are gone.
func (f *follower) reconcile(pods []*object.Pod, change func(*object.Pod, bool)) {
	there := map[string]bool{}
	for _, p := range pods {
		there[p.UID] = true
		change(p, false)
	}
	for uid, fp := range f.pods {
		if !there[uid] {
			change(fp.pod, true)
		}
	}
}

// change takes a pod that was made, changed or deleted.
func (f *follower) change(ctx context.Context, g *errgroup.Group, p *object.Pod, deleted bool) {
	if !f.wants(p) {
		return
	}
	fp := f.pods[p.UID]
	if fp == nil {
		if deleted {
			return
		}
		fp = f.admit(p)
	}
	fp.update(p, deleted)
	if deleted {
		delete(f.pods, p.UID)
		return
	}
	f.start(ctx, g, fp)
}
