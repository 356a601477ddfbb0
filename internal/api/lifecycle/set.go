package lifecycle

import (
	"context"

	"zr/internal/api/kube"
	"zr/internal/api/reason"
	"zr/pkg/kube/object"
)

// StopSet stops the services that run and have a value of object.SetLabel, one after
// another, for as long as still says so: that is asked after a service was read and
// before it is changed, so that nothing is taken back that was done in between. Each
// that was stopped here, or could not be, is told to done, with the key of that act. One
// that somebody else changed meanwhile is left, and one is started again for which still
// says no once it is stopped. Volumes stay, as with Stop.
func (s *Services) StopSet(ctx context.Context, set, by string, still func(context.Context) (bool, error), done func(service string, act kube.Key, err error)) error {
	all, err := s.list(ctx)
	if err != nil {
		return err
	}
	for _, w := range all {
		if w.Labels[object.SetLabel] != set || replicas(&w.Workload) == 0 {
			continue
		}
		// As the server has it now: what was listed may have been at hand for a while.
		now, err := s.cluster.Workload(ctx, w.kind, w.Name)
		if err != nil {
			return err
		}
		if now.Labels[object.SetLabel] != set || replicas(&now) == 0 {
			continue
		}
		if so, err := still(ctx); err != nil || !so {
			return err
		}
		patch := stopped(&now, by)
		patch["metadata"].(map[string]any)["resourceVersion"] = now.ResourceVersion
		acting, act := kube.Act(ctx)
		written, err := s.cluster.Patch(acting, w.kind, w.Name, patch)
		if reason.Of(err) == reason.Conflict {
			continue
		}
		if err != nil {
			done(w.Name, act, err)
			return err
		}
		if so, err := still(ctx); err != nil || !so {
			if err == nil {
				_, err = s.Start(ctx, w.Name)
			}
			return err
		}
		_, err = s.Await(ctx, w.kind, written)
		if done(w.Name, act, err); err != nil {
			return err
		}
	}
	return nil
}
