package follow

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// watch keeps the pods current and follows new ones, until ctx ends.
func (f *follower) watch(ctx context.Context, g *errgroup.Group, version string) error {
	change := func(p pod, deleted bool) { f.change(ctx, g, p, deleted) }
	wait := retryFirst
	for {
		began := time.Now()
		next, err := f.kube.watchPods(ctx, f.options.Namespace, f.options.Selector, version, change)
		version = next
		if err == nil && time.Since(began) > time.Second {
			wait = retryFirst
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, retryMost)
		list, err := f.kube.pods(ctx, f.options.Namespace, f.options.Selector)
		if refused(err) {
			return fmt.Errorf("following logs in namespace %q: %w", f.options.Namespace, err)
		}
		if err != nil {
			continue // the next watch fails too, and so comes back here
		}
		version = list.Metadata.ResourceVersion
		f.reconcile(list, change)
	}
}

// reconcile takes a whole list: pods that are not in it are gone.
func (f *follower) reconcile(list podList, change func(pod, bool)) {
	there := map[string]bool{}
	for _, p := range list.Items {
		there[p.Metadata.UID] = true
		change(p, false)
	}
	for uid, fp := range f.pods {
		if !there[uid] {
			change(fp.pod, true)
		}
	}
}

// change takes a pod that was made, changed or deleted.
func (f *follower) change(ctx context.Context, g *errgroup.Group, p pod, deleted bool) {
	if !f.wants(p) {
		return
	}
	fp := f.pods[p.Metadata.UID]
	if fp == nil {
		if deleted {
			return
		}
		fp = f.admit(p)
	}
	fp.update(p, deleted)
	if deleted {
		delete(f.pods, p.Metadata.UID)
		return
	}
	f.start(ctx, g, fp)
}
