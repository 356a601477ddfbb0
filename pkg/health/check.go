package health

import (
	"context"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"zr/pkg/diagnose"
	"zr/pkg/kube/object"
)

// snapshots reads every namespace of the targets once.
func (g *Gate) snapshots(ctx context.Context, targets []Target, kinds ...resource) (map[string]*diagnose.Snapshot, error) {
	all := map[string]*diagnose.Snapshot{}
	for _, t := range targets {
		all[t.Namespace] = nil
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for _, ns := range slices.Collect(maps.Keys(all)) { // the map is written meanwhile
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
func (g *Gate) forget(snapshots map[string]*diagnose.Snapshot) {
	alive := map[string]bool{}
	for _, s := range snapshots {
		s.Pods(func(p *object.Pod) { alive[p.UID] = true })
	}
	g.prune(func(uid string) bool { return alive[uid] })
}
