package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// What an action on a Job may be refused for.
var (
	ErrNoJob = errors.New("the service is no Job: restart it")
	ErrRuns  = errors.New("the Job has not ended yet")
)

// JobFailed says that a Job was run again, and failed.
type JobFailed struct{ Why string }

func (e *JobFailed) Error() string { return "the Job was run again and failed: " + e.Why }

// made are the labels that the Job's controller puts on a Job and its pods.
var made = []string{"controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"}

// Run runs a Job again that has ended: it is made anew of what it was, and waited
// for until it has completed. That the server would make it is asked before the old
// one is deleted.
func (s *Services) Run(ctx context.Context, name string) (Effect, error) {
	if s.cluster == nil {
		return Effect{}, ErrOutside
	}
	var was map[string]any
	if err := s.cluster.Read(ctx, object.Jobs, name, &was); err != nil {
		if !lean.HasCode(err, http.StatusNotFound) {
			return Effect{}, err
		}
		if _, _, err := s.find(ctx, name); err != nil {
			return Effect{}, err
		}
		return Effect{}, ErrNoJob
	}
	before, err := s.job(ctx, name)
	if err != nil {
		return Effect{}, err
	}
	if done, _ := ended(before); !done {
		return Effect{}, ErrRuns
	}
	again := anew(was)
	trial := anew(was)
	trial["metadata"] = map[string]any{"generateName": "trial-"}
	if err := s.cluster.Create(ctx, object.Jobs, trial, true); err != nil {
		return Effect{}, err
	}
	if err := s.cluster.Delete(ctx, object.Jobs, name, before.UID); err != nil {
		return Effect{}, err
	}
	for {
		err := s.cluster.Create(ctx, object.Jobs, again, false)
		if err == nil {
			break
		}
		if !lean.HasCode(err, http.StatusConflict) { // the one before is not gone yet
			return Effect{}, fmt.Errorf("the Job was deleted and not made again, which `zr up` does: %w", err)
		}
		if err := pause(ctx); err != nil {
			return Effect{}, &NotThere{0, object.Wanted(before.Spec.Completions)}
		}
	}
	return s.awaitJob(ctx, name)
}

func (s *Services) job(ctx context.Context, name string) (w object.Workload, err error) {
	err = s.cluster.Read(ctx, object.Jobs, name, &w)
	return w, err
}

// awaitJob asks until a Job has completed or failed.
func (s *Services) awaitJob(ctx context.Context, name string) (Effect, error) {
	effect := Effect{Service: name, Replicas: 1}
	for {
		now, err := s.job(ctx, name)
		if err == nil {
			effect.Replicas, effect.Ready, effect.Generation = object.Wanted(now.Spec.Completions), now.Status.Succeeded, now.Generation
			done, why := ended(now)
			if why != "" {
				return effect, &JobFailed{why}
			}
			if done {
				return effect, nil
			}
		} else if ctx.Err() == nil {
			return effect, err
		}
		if pause(ctx) != nil {
			return effect, &NotThere{effect.Ready, effect.Replicas}
		}
	}
}

// pause waits for a pulse.
func pause(ctx context.Context) error {
	select {
	case <-time.After(pulse):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ended tells whether a Job has completed or failed, and why it failed.
func ended(job object.Workload) (done bool, failed string) {
	if c := object.ConditionOf(job.Status.Conditions, "Failed"); c != nil && c.True() {
		return true, strings.TrimSuffix(c.Reason+": "+c.Message, ": ")
	}
	c := object.ConditionOf(job.Status.Conditions, "Complete")
	return c != nil && c.True(), ""
}

// anew is a Job as it was asked for, without what the server made of it.
func anew(was map[string]any) map[string]any {
	meta, _ := was["metadata"].(map[string]any)
	kept := map[string]any{"name": meta["name"], "labels": without(meta["labels"]), "annotations": meta["annotations"]}
	given, _ := was["spec"].(map[string]any)
	spec := maps.Clone(given)
	if spec["manualSelector"] != true {
		delete(spec, "selector")
	}
	if template, ok := spec["template"].(map[string]any); ok {
		of, _ := template["metadata"].(map[string]any)
		labelled := map[string]any{"labels": without(of["labels"])}
		if of["annotations"] != nil {
			labelled["annotations"] = of["annotations"]
		}
		spec["template"] = map[string]any{"metadata": labelled, "spec": template["spec"]}
	}
	return map[string]any{"apiVersion": "batch/v1", "kind": "Job", "metadata": kept, "spec": spec}
}

// without is a map without what the Job's controller has put there.
func without(of any) map[string]any {
	given, _ := of.(map[string]any)
	rest := maps.Clone(given)
	for _, key := range made {
		delete(rest, key)
	}
	return rest
}
