package configuration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"zr/internal/api/dev"
	"zr/internal/api/reason"
	"zr/internal/api/store/postgres"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
	"zr/pkg/podconfig"
)

// noteTime bounds the note of what came of a revision, after the change.
const noteTime = 2 * time.Second

// Change is a change of the settings.
type Change struct {
	Settings map[string]string // all of them
	Author   string
	Reason   string
	Restores int64  // the revision that it goes back to, or 0
	ETag     string // of the settings that it is a change of
}

// Written is a change that the cluster has.
type Written struct {
	Revision int64
	// File is that of the project which the attached `zr dev` wrote it into; empty
	// where none was attached.
	File string
	ETag string
	Plan
}

// Preview says what a change would do, and has the API server check it. Nothing is
// written. The error is a *MissingError or *RefusedError where it would not be taken.
func (c *Configuration) Preview(ctx context.Context, settings map[string]string) (Plan, string, error) {
	now, err := c.Settings(ctx)
	if err != nil {
		return Plan{}, "", err
	}
	plan, err := now.plan(settings)
	if err != nil {
		return plan, now.ETag, err
	}
	if _, err := c.apply(ctx, now, settings, now.Source, true); err != nil {
		return plan, now.ETag, err
	}
	return plan, now.ETag, c.roll(ctx, now, plan, settings, true)
}

// Write makes a change a revision, writes it, rolls who reads it, and waits until that
// has taken effect. Where a `zr dev` is attached, it does so with the file of the
// project. The error is ErrChanged where the settings are not those of the ETag any
// more. It is a *lifecycle.NotThere where the change is written and its pods do not get
// ready in time. Of an attached `zr dev` it is a *HandedError or that of dev.Hub.Ask.
func (c *Configuration) Write(ctx context.Context, change Change) (Written, error) {
	now, err := c.Settings(ctx)
	if err != nil {
		return Written{}, err
	}
	if now.ETag != change.ETag {
		return Written{}, ErrChanged
	}
	plan, err := now.plan(change.Settings)
	if err != nil {
		return Written{}, err
	}
	if err := c.noteFound(ctx, now); err != nil {
		return Written{}, err
	}
	if done, err := c.hand(ctx, now, plan, change); !errors.Is(err, dev.ErrNotAttached) {
		return done, err
	}
	return c.writeHere(ctx, now, plan, change)
}

// begin stores a change as a revision that is begun.
func (c *Configuration) begin(ctx context.Context, change Change, file string) (postgres.Revision, error) {
	revision, err := c.store.AddRevision(ctx, c.environment, postgres.Revision{
		Author: change.Author, Reason: change.Reason, Restores: change.Restores, Settings: change.Settings, Outcome: postgres.Begun, File: file,
	})
	return revision, inStore(err)
}

// writeHere writes a change into the cluster alone.
func (c *Configuration) writeHere(ctx context.Context, now Settings, plan Plan, change Change) (Written, error) {
	revision, err := c.begin(ctx, change, "")
	if err != nil {
		return Written{}, err
	}
	source := podconfig.RevisionSource(revision.ID, change.Author, change.Reason)
	etag, err := c.apply(ctx, now, change.Settings, source, false)
	if refused := (*lean.StatusError)(nil); errors.As(err, &refused) {
		c.conclude(ctx, revision.ID, postgres.NotWritten)
	}
	if err != nil {
		return Written{}, err
	}
	c.conclude(ctx, revision.ID, postgres.Written)
	done := Written{Revision: revision.ID, ETag: etag, Plan: plan}
	return done, c.roll(ctx, now, plan, change.Settings, false)
}

// noteFound stores the settings that are found, where no revision has them: those of a
// file, which can then be gone back to too.
func (c *Configuration) noteFound(ctx context.Context, now Settings) error {
	if now.Revision > 0 {
		// Its api may have been killed before it noted that it was written.
		err := c.store.ConcludeRevision(ctx, c.environment, now.Revision, postgres.Written)
		if !errors.Is(err, postgres.ErrNoRevision) {
			return inStore(err)
		}
	}
	last, err := c.store.Revisions(ctx, c.environment, 0, 1)
	if err != nil {
		return inStore(err)
	}
	if len(last) == 1 && maps.Equal(last[0].Settings, now.Values) {
		if last[0].Outcome == postgres.Begun { // a file was to have it, and the cluster has
			return inStore(c.store.ConcludeRevision(ctx, c.environment, last[0].ID, postgres.Written))
		}
		return nil
	}
	_, err = c.store.AddRevision(ctx, c.environment, postgres.Revision{Author: "zr", Reason: now.Source, Settings: now.Values, Outcome: postgres.Written})
	return inStore(err)
}

// conclude notes what came of a revision. Where it cannot, the next change does, from what
// the cluster says.
func (c *Configuration) conclude(ctx context.Context, id int64, outcome string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	if err := c.store.ConcludeRevision(ctx, c.environment, id, outcome); err != nil {
		c.log.Warn("what came of a revision is not noted", "revision", id, "outcome", outcome, "error", err)
	}
}

// apply gives the ConfigMap other settings and returns the ETag that it has then; on
// trial the server says whether it would.
func (c *Configuration) apply(ctx context.Context, now Settings, settings map[string]string, source string, trial bool) (string, error) {
	data := map[string]any{}
	for key := range now.Values {
		data[key] = nil
	}
	for key, value := range settings {
		data[key] = value
	}
	patch := map[string]any{
		"metadata": map[string]any{"resourceVersion": now.ETag, "annotations": map[string]any{podconfig.SourceAnnotation: source}},
		"data":     data,
	}
	var written object.ConfigMap
	if err := c.cluster.Change(ctx, object.ConfigMaps, podconfig.SettingsName, patch, trial, &written); err != nil {
		if reason.Of(err) == reason.Conflict {
			return "", fmt.Errorf("%w (%w)", ErrChanged, err)
		}
		return "", refusedBy("ConfigMap/"+podconfig.SettingsName, err)
	}
	return written.ResourceVersion, nil
}

// roll replaces the pods of the workloads of a plan and waits until they are ready; on
// trial the server says whether it would.
func (c *Configuration) roll(ctx context.Context, now Settings, plan Plan, settings map[string]string, trial bool) error {
	stamps := map[string]string{}
	for _, w := range now.workloads {
		stamps[w.called()] = podconfig.SettingsHash(w.Spec.Template, settings)
	}
	return c.annotate(ctx, plan.Rolls, podconfig.SettingsHashAnnotation, func(name string) string { return stamps[name] }, trial)
}

// annotate gives the pod templates of workloads an annotation, which rolls their pods,
// and waits until these are ready.
func (c *Configuration) annotate(ctx context.Context, workloads []string, annotation string, value func(workload string) string, trial bool) error {
	var failed []error
	written := map[string]object.Workload{}
	for _, called := range workloads {
		kind, name, _ := strings.Cut(called, "/")
		resource := object.Deployments
		if kind == object.StatefulSet {
			resource = object.StatefulSets
		}
		patch := map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{"annotations": map[string]any{annotation: value(called)}}}}}
		var now object.Workload
		if err := c.cluster.Change(ctx, resource, name, patch, trial, &now); err != nil {
			failed = append(failed, refusedBy(called, err))
			continue
		}
		written[called] = now
	}
	if trial {
		return errors.Join(failed...)
	}
	for _, called := range workloads {
		if now, there := written[called]; there {
			kind, _, _ := strings.Cut(called, "/")
			if _, err := c.services.Await(ctx, kind, now); err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", called, err))
			}
		}
	}
	return errors.Join(failed...)
}

// refusedBy makes a refusal of the API server a *RefusedError. That it did not let the
// api ask, or did not answer, is none.
func refusedBy(called string, err error) error {
	var said *lean.StatusError
	if errors.As(err, &said) && said.Code/100 == 4 && !lean.Refused(err) && reason.Of(err) != reason.Busy {
		return &RefusedError{called, said}
	}
	return err
}

// Revisions returns the last limit revisions, newest first; where before is not 0, those
// before it.
func (c *Configuration) Revisions(ctx context.Context, before int64, limit int) ([]postgres.Revision, error) {
	all, err := c.store.Revisions(ctx, c.environment, before, limit)
	return all, inStore(err)
}

// Revision returns one, or postgres.ErrNoRevision.
func (c *Configuration) Revision(ctx context.Context, id int64) (postgres.Revision, error) {
	one, err := c.store.FindRevision(ctx, c.environment, id)
	return one, inStore(err)
}
