package health

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"zr/pkg/diagnose"
	"zr/pkg/kube/object"
)

// Held is what a namespace has of Deployments and StatefulSets.
type Held struct {
	// Gone says that the namespace does not exist, or is about to go. Where the
	// user's role does not allow to read it, it is taken to be there.
	Gone      bool
	Workloads []Workload
}

// Workload is a Deployment or a StatefulSet as the API server has it.
type Workload struct {
	Kind      string
	Name      string
	Replicas  int32             // that are wanted
	Ready     int32             // pods that the kubelets call ready
	PodLabels map[string]string // of its pod template; not to be changed
}

// Follow calls changed with what a namespace holds, at first and after each
// change, until ctx ends or the user's role does not allow it. It costs three
// watches and no polls. Calls do not overlap; several changes may be told by one.
func (g *Gate) Follow(ctx context.Context, namespace string, changed func(Held)) error {
	held := newInformer(g.kube, namespace, deployments, statefulSets)
	itself := newInformer(g.kube, "", resource{Resource: object.Namespaces, fields: "metadata.name=" + namespace, optional: true})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return held.run(ctx) })
	group.Go(func() error {
		if err := itself.run(ctx); err != nil {
			return err
		}
		<-ctx.Done() // it may not be read
		return ctx.Err()
	})
	group.Go(func() error {
		for {
			snap, moved, _ := held.look()
			_, left, _ := itself.look()
			if held.isSynced() && itself.isSynced() {
				changed(Held{Gone: itself.deserted("namespaces"), Workloads: workloads(snap)})
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-moved:
			case <-left:
			}
		}
	})
	if err := group.Wait(); err != nil {
		return fmt.Errorf("following namespace %q: %w", namespace, err)
	}
	return nil
}

// deserted tells that a resource was read, and has no object that stays.
func (b *informer) deserted(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.objects[name] == nil {
		return false // it may not be read
	}
	for _, o := range b.objects[name] {
		if n, ok := o.(*object.Namespace); ok && n.DeletionTimestamp == nil {
			return false
		}
	}
	return true
}

// workloads returns those that pods are made for, except what is being deleted.
func workloads(s *diagnose.Snapshot) []Workload {
	var out []Workload
	s.Workloads(func(w *object.Workload) {
		if w.DeletionTimestamp == nil {
			out = append(out, Workload{Kind: w.Kind, Name: w.Name, Replicas: object.Wanted(w.Spec.Replicas), Ready: w.Status.ReadyReplicas, PodLabels: w.Spec.Template.Labels})
		}
	})
	return out
}
