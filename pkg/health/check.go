package health

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// snapshots reads every namespace of the targets once.
func (g *Gate) snapshots(ctx context.Context, targets []Target, kinds ...resource) (map[string]*snapshot, error) {
	all := map[string]*snapshot{}
	for _, t := range targets {
		all[t.Namespace] = nil
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for ns := range all {
		group.Go(func() error {
			s, err := g.kube.snapshotOf(ctx, ns, kinds...)
			mu.Lock()
			defer mu.Unlock()
			all[ns] = s
			return err
		})
	}
	return all, group.Wait()
}

// each calls f for every target at the same time, and waits.
func (g *Gate) each(targets []Target, f func(int, Target)) {
	var wg sync.WaitGroup
	for i, t := range targets {
		wg.Go(func() { f(i, t) })
	}
	wg.Wait()
}

// forget closes the port-forwards to pods that no namespace holds any more.
func (g *Gate) forget(snapshots map[string]*snapshot) {
	alive := map[string]bool{}
	for _, s := range snapshots {
		for _, owned := range s.pods {
			for _, p := range owned {
				alive[string(p.UID)] = true
			}
		}
	}
	g.prune(func(uid string) bool { return alive[uid] })
}
