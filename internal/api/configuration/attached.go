package configuration

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"zr/internal/api/dev"
	"zr/internal/api/store/postgres"
	"zr/pkg/devattach"
)

// HandedError says how far a change came that was handed to the attached `zr dev`, and
// that is not in effect, or not known to be.
type HandedError struct {
	Known string // of the file and of the cluster
	Err   error  // of dev.Hub.Ask, or what the `zr dev` says
}

func (e *HandedError) Error() string { return e.Known + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *HandedError) Unwrap() error { return e.Err }

// hand has the attached `zr dev` write a change into the file of the project and apply
// it, after the API server has taken it in a dry run. The change is Written once the
// cluster was seen to have it. The error is dev.ErrNotAttached where nobody was asked.
func (c *Configuration) hand(ctx context.Context, now Settings, plan Plan, change Change) (Written, error) {
	if err := c.devs.CanAsk(c.environment, devattach.Configure); err != nil {
		return Written{}, err
	}
	if _, err := c.apply(ctx, now, change.Settings, now.Source, true); err != nil {
		return Written{}, err
	}
	if err := c.roll(ctx, now, plan, change.Settings, true); err != nil {
		return Written{}, err
	}
	revision, err := c.begin(ctx, change, now.Source)
	if err != nil {
		return Written{}, err
	}
	done := Written{Revision: revision.ID, File: now.Source, Plan: plan}
	var answer devattach.SettingsWritten
	err = c.devs.Ask(ctx, c.environment, devattach.Configure, devattach.Settings{
		Before: now.Values, Source: now.Source, Settings: change.Settings, Revision: revision.ID, Author: change.Author, Reason: change.Reason,
	}, &answer)
	if _, refused := errors.AsType[*devattach.Failure](err); refused || errors.Is(err, dev.ErrNotAttached) {
		c.conclude(ctx, revision.ID, postgres.NotWritten)
		return Written{}, err
	}
	file := answer.File + " is written"
	if err != nil {
		file = fmt.Sprintf("whether %s is written is not known", now.Source)
	} else if answer.Failed != "" {
		err = &devattach.Failure{Code: devattach.Failed, Text: answer.Failed}
	}
	etag, there, cluster := c.look(ctx, change.Settings)
	if there {
		c.conclude(ctx, revision.ID, postgres.Written)
	} else if err == nil {
		err = &devattach.Failure{Code: devattach.Failed, Text: "the zr dev says that it has applied it"}
	}
	if err != nil {
		return done, &HandedError{file + ", and " + cluster, err}
	}
	done.ETag = etag
	return done, nil
}

// look asks the cluster whether it has settings, also where the time of ctx is over, and
// says what it has.
func (c *Configuration) look(ctx context.Context, settings map[string]string) (etag string, there bool, says string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	has, err := c.Settings(ctx)
	switch {
	case err != nil:
		return "", false, "what the cluster has is not known"
	case !maps.Equal(has.Values, settings):
		return has.ETag, false, "the cluster does not have these settings now"
	}
	return has.ETag, true, "the cluster has these settings"
}
