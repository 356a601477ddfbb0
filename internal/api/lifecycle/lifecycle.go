// Package lifecycle stops, starts, restarts and scales services, rolls them back and
// runs Jobs again. What it says is
// done was asked of Kubernetes after the change.
package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"zr/internal/api/kube"
	"zr/pkg/kube/object"
)

// The annotations of a workload.
const (
	// DependsOnAnnotation names the services that one needs, separated by commas.
	DependsOnAnnotation = "zr.dev/depends-on"
	// restartedAnnotation, in a template, is what kubectl rollout restart changes.
	restartedAnnotation = "kubectl.kubernetes.io/restartedAt"
)

// pulse is how often a workload is asked whether a change has taken effect.
const pulse = 100 * time.Millisecond

// The errors that have a reason of their own.
var (
	ErrNoService = errors.New("there is no such service")
	ErrOutside   = errors.New("the api does not run in a cluster")
)

// NeedsConfirmation says that others depend on what was to be stopped.
type NeedsConfirmation struct{ Dependents []string }

func (e *NeedsConfirmation) Error() string {
	return "others depend on it: " + strings.Join(e.Dependents, ", ")
}

// NotThere says that a change was written and had not taken effect in time.
type NotThere struct{ Ready, Wanted int32 }

func (e *NotThere) Error() string {
	return fmt.Sprintf("the change is written, and has not taken effect yet: %d of %d pods are ready", e.Ready, e.Wanted)
}

// Effect is how a service was after a change.
type Effect struct {
	Service    string `json:"service"`
	Replicas   int32  `json:"replicas" doc:"That it is to have."`
	Ready      int32  `json:"ready" doc:"Pods that answer their probes, asked after the change."`
	Generation int64  `json:"generation" doc:"The version of the workload that this was seen of."`
}

// Cluster is where the workloads are. *kube.Client is one.
type Cluster interface {
	Deployments(ctx context.Context) ([]object.Workload, error)
	StatefulSets(ctx context.Context) ([]object.Workload, error)
	Workload(ctx context.Context, kind, name string) (object.Workload, error)
	Patch(ctx context.Context, kind, name string, patch any) (object.Workload, error)
	PatchWith(ctx context.Context, kind, name, patchType string, patch any) (object.Workload, error)
	Read(ctx context.Context, r object.Resource, name string, into any) error
	Create(ctx context.Context, r object.Resource, o any, trial bool) error
	Delete(ctx context.Context, r object.Resource, name, uid string) error
}

// Services changes the services of a namespace. It is safe for concurrent use.
type Services struct{ cluster Cluster }

// New returns the Services of a cluster, which is nil outside of one.
func New(cluster *kube.Client) *Services {
	if cluster == nil {
		return &Services{}
	}
	return &Services{cluster}
}

// Stop scales a service to nothing and remembers how many replicas it had. It asks
// for a confirmation where others that run depend on it.
func (s *Services) Stop(ctx context.Context, name, by string, confirmed bool) (Effect, error) {
	return s.change(ctx, name, func(all []found, w found) (any, error) {
		if dependents := dependents(all, name); len(dependents) > 0 && !confirmed {
			return nil, &NeedsConfirmation{dependents}
		}
		return stopped(&w.Workload, by), nil
	})
}

// stopped is a patch that scales a workload to nothing and says by whom.
func stopped(w *object.Workload, by string) map[string]any {
	marks := map[string]any{}
	if w.Annotations[object.StoppedBy] == "" {
		marks[object.StoppedBy], marks[object.StoppedAt] = cmp.Or(by, "somebody"), time.Now().UTC().Format(time.RFC3339)
	}
	if had := replicas(w); had > 0 { // otherwise what is remembered stays
		marks[object.StoppedReplicas] = strconv.Itoa(int(had))
	}
	return scale(0, marks)
}

// Start gives a service that was stopped the replicas back that it had, and at
// least one.
func (s *Services) Start(ctx context.Context, name string) (Effect, error) {
	return s.change(ctx, name, func(_ []found, w found) (any, error) {
		had, err := strconv.ParseInt(w.Annotations[object.StoppedReplicas], 10, 32)
		if err != nil {
			had = 1
		}
		return scale(max(replicas(&w.Workload), int32(had), 1), unmarked), nil
	})
}

// Scale gives a service a number of replicas. 0 is Stop.
func (s *Services) Scale(ctx context.Context, name, by string, n int32, confirmed bool) (Effect, error) {
	if n == 0 {
		return s.Stop(ctx, name, by, confirmed)
	}
	return s.change(ctx, name, func([]found, found) (any, error) { return scale(n, unmarked), nil })
}

// Restart replaces the pods of a service, by the rules of its rollout.
func (s *Services) Restart(ctx context.Context, name string) (Effect, error) {
	return s.change(ctx, name, func([]found, found) (any, error) {
		stamp := map[string]any{restartedAnnotation: time.Now().UTC().Format(time.RFC3339Nano)}
		return map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{"annotations": stamp}}}}, nil
	})
}

// unmarked takes the marks of a stop away.
var unmarked = map[string]any{object.StoppedReplicas: nil, object.StoppedBy: nil, object.StoppedAt: nil}

// scale is a patch of the replicas and of annotations.
func scale(n int32, annotations map[string]any) map[string]any {
	return map[string]any{"metadata": map[string]any{"annotations": annotations}, "spec": map[string]any{"replicas": n}}
}

// found is a workload and its kind.
type found struct {
	object.Workload
	kind string
}

// change writes what patch says and waits until it has taken effect.
func (s *Services) change(ctx context.Context, name string, patch func(all []found, w found) (any, error)) (Effect, error) {
	w, all, err := s.find(ctx, name)
	if err != nil {
		return Effect{}, err
	}
	wanted, err := patch(all, w)
	if err != nil {
		return Effect{}, err
	}
	written, err := s.cluster.Patch(ctx, w.kind, name, wanted)
	if err != nil {
		return Effect{}, err
	}
	return s.Await(ctx, w.kind, written)
}

// find returns the workload of a service, and all others.
func (s *Services) find(ctx context.Context, name string) (w found, all []found, err error) {
	if all, err = s.list(ctx); err != nil {
		return w, nil, err
	}
	i := slices.IndexFunc(all, func(w found) bool { return w.Name == name })
	if i < 0 {
		return w, nil, ErrNoService
	}
	return all[i], all, nil
}

func (s *Services) list(ctx context.Context) (all []found, err error) {
	if s.cluster == nil {
		return nil, ErrOutside
	}
	deployments, err := s.cluster.Deployments(ctx)
	if err != nil {
		return nil, err
	}
	statefuls, err := s.cluster.StatefulSets(ctx)
	if err != nil {
		return nil, err
	}
	for _, w := range deployments {
		all = append(all, found{w, "Deployment"})
	}
	for _, w := range statefuls {
		all = append(all, found{w, "StatefulSet"})
	}
	return all, nil
}

// Await asks until the controller has seen the change and every pod is of it and
// ready, and returns a *NotThere where ctx ends before.
func (s *Services) Await(ctx context.Context, kind string, written object.Workload) (Effect, error) {
	now := written
	for {
		seen := now.Status.ObservedGeneration >= written.Generation
		wanted := replicas(&now)
		result := Effect{Service: now.Name, Replicas: wanted, Ready: now.Status.ReadyReplicas, Generation: now.Generation}
		if seen && now.Status.Replicas == wanted && now.Status.ReadyReplicas == wanted && (wanted == 0 || now.Status.UpdatedReplicas == wanted) {
			return result, nil
		}
		select {
		case <-time.After(pulse):
		case <-ctx.Done():
			return result, &NotThere{result.Ready, wanted}
		}
		next, err := s.cluster.Workload(ctx, kind, written.Name)
		switch {
		case err == nil:
			now = next
		case ctx.Err() == nil:
			return result, err
		}
	}
}

// dependents are the services that run and name another as one that they need.
func dependents(all []found, name string) (names []string) {
	for _, w := range all {
		needs := strings.Split(w.Annotations[DependsOnAnnotation], ",")
		if slices.Contains(needs, name) && replicas(&w.Workload) > 0 {
			names = append(names, w.Name)
		}
	}
	slices.Sort(names)
	return names
}

func replicas(w *object.Workload) int32 {
	if w.Spec.Replicas == nil {
		return 1 // the API's default
	}
	return *w.Spec.Replicas
}
