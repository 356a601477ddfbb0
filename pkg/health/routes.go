package health

import (
	"context"
	"fmt"
	"sync"
	"time"

	"zr/pkg/diagnose"
)

// Nodes asks each node, by its name, where it leads connections to Services, and
// which of the addresses of pods accept one.
type Nodes func(ctx context.Context, pods []string) (map[string]diagnose.View, error)

// nodesTimeout is how long that may take: 0.1 s where nothing else runs.
const nodesTimeout = 15 * time.Second

// viewer asks the nodes for all who want to know. One look at a time is under way, and
// who asks is given one that began afterwards: what was written before is in it. It
// is safe for concurrent use.
type viewer struct {
	nodes Nodes

	mu      sync.Mutex
	current *look // the last that began
	next    *look // waits for it to end
}

// look is one question to the nodes.
type look struct {
	pods  []string
	done  chan struct{}
	views map[string]diagnose.View
	err   error
}

// ask returns a look that begins after the call.
func (v *viewer) ask(ctx context.Context, pods []string) (map[string]diagnose.View, error) {
	v.mu.Lock()
	l := v.next
	if l == nil {
		l = &look{done: make(chan struct{})}
		v.next = l
		go v.run(l, v.current)
	}
	l.pods = append(l.pods, pods...)
	v.mu.Unlock()
	select {
	case <-l.done:
		return l.views, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (v *viewer) run(l, before *look) {
	if before != nil {
		<-before.done
	}
	v.mu.Lock()
	v.current, v.next = l, nil
	v.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), nodesTimeout) // of all who wait for it
	defer cancel()
	l.views, l.err = v.nodes(ctx, l.pods)
	close(l.done)
}

// misled says what the nodes know to be wrong with the way to the pods of a target
// that a snapshot holds, or "": they are asked after the snapshot was taken.
func (g *Gate) misled(ctx context.Context, t Target, r diagnose.Rollout, s *diagnose.Snapshot) string {
	routes, stale := g.routesOf(t, r, s)
	if stale != "" {
		return fmt.Sprintf("Service %q still leads to a pod that ends", stale)
	}
	return g.askNodes(ctx, routes, diagnose.Unvouched(routes))
}

// unserved is misled where nothing has changed: the rules of the nodes have long been
// written then, and there is no need to ask them about pods for which the kubelet
// vouches.
func (g *Gate) unserved(ctx context.Context, t Target, r diagnose.Rollout, s *diagnose.Snapshot) string {
	routes, _ := g.routesOf(t, r, s)
	unvouched := diagnose.Unvouched(routes)
	return g.askNodes(ctx, unvouched, unvouched)
}

// routesOf returns none where the nodes cannot be asked.
func (g *Gate) routesOf(t Target, r diagnose.Rollout, s *diagnose.Snapshot) (routes []diagnose.Route, stale string) {
	if g.nodes == nil || !r.Done {
		return nil, ""
	}
	return s.RoutesOf(t.subject(), r)
}

// askNodes says what the nodes know to be wrong with routes, or "". Of some they are
// asked whether the pods accept connections.
func (g *Gate) askNodes(ctx context.Context, routes, connect []diagnose.Route) string {
	if len(routes) == 0 {
		return ""
	}
	var pods []string
	for _, r := range connect {
		if r.TCP() {
			pods = append(pods, r.Backends...)
		}
	}
	views, err := g.nodes.ask(ctx, pods)
	if err != nil {
		return fmt.Sprintf("where the nodes lead Service %q is not known: %s", routes[0].Service, err)
	}
	return diagnose.Misled(routes, views)
}

// Misled says what the nodes know to be wrong with the way to the pods of the
// targets, or "", by the cluster as it is after the call.
func (g *Gate) Misled(ctx context.Context, targets []Target) (string, error) {
	snapshots, err := g.snapshots(ctx, targets, kindsOf(targets)...)
	if err != nil {
		return "", err
	}
	for _, t := range targets {
		s := snapshots[t.Namespace]
		if why := g.misled(ctx, t, s.RolloutOf(t.subject()), s); why != "" {
			return why, ctx.Err()
		}
	}
	return "", ctx.Err()
}
