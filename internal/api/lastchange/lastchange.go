// Package lastchange says what changed a service last, and who did it, as far as that can
// be proven. That something changed a workload, and when, the API server keeps in the
// workload itself. Who it was is in the database: the record of what was done in the
// dashboard, whose key the workload has, and what runs of zr told. A name is given where
// they fit, and nobody is named where they do not.
package lastchange

import (
	"context"
	"maps"
	"slices"
	"time"

	"zr/internal/api/fleet"
	"zr/internal/api/store/postgres"
	"zr/pkg/event"
)

// The managers that are parts of zr.
const (
	byZr  = "zr"     // a run of `zr up` or `zr dev`
	byAPI = "zr-api" // the dashboard, and scripts with a token
)

// What was done.
const (
	Deployed   = "deployed"   // a run of zr wrote the workload
	Reloaded   = "reloaded"   // zr dev made a save live
	Restarted  = "restarted"  // its pods were replaced
	Stopped    = "stopped"    // it was scaled to nothing
	Started    = "started"    // it was given its pods back
	Scaled     = "scaled"     // it was given another number of pods
	RolledBack = "rolledBack" // it was given an earlier template
	Ran        = "ran"        // a Job was run again
	Configured = "configured" // settings that its pods read were changed
	Changed    = "changed"    // it is not known what
)

// doings are what acts of the audit log do to a workload.
var doings = map[string]string{
	"restartService": Restarted, "stopService": Stopped, "startService": Started, "scaleService": Scaled,
	"rollbackService": RolledBack, "runService": Ran, "changeSettings": Configured, "restoreSettings": Configured, "setSecret": Configured,
}

// Change is the last one of a service.
type Change struct {
	At   time.Time `json:"at" doc:"By the clock of the API server; of a reload, by that of the machine of the zr dev."`
	What string    `json:"what" enum:"deployed,reloaded,restarted,stopped,started,scaled,rolledBack,ran,configured,changed"`
	By   string    `json:"by,omitempty" doc:"Who it was; left out where that is not known for certain."`
	With string    `json:"with,omitempty" doc:"What the program that wrote it calls itself, as the API server keeps it: zr, zr-api for the dashboard, kubectl-edit. Left out of a reload, which writes nothing there, and where several did within one second."`
	// ScaledWith is kept without a time.
	ScaledWith string `json:"scaledWith,omitempty" doc:"What has set the number of its pods by the way of autoscalers and of kubectl scale: the API server notes no time of that, so that it may have been later."`
}

// Source is where the names are. *postgres.Store is one.
type Source interface {
	Acts(ctx context.Context, keys [][16]byte) ([]postgres.AuditRecord, error)
	LastRunChanges(ctx context.Context, environment string, services []string) ([]postgres.RunChange, error)
}

// Of returns the last change of each of some services, by their names, as it is known now.
// key is that of the environment. Without the source's answer it returns what the workloads
// themselves say, and the error.
func Of(ctx context.Context, source Source, key string, services []fleet.Service) (map[string]Change, error) {
	writes := map[string]fleet.Write{}
	for _, s := range services {
		if w, known := s.LastWrite(); known {
			writes[s.Name] = w
		}
	}
	return of(ctx, source, key, writes)
}

// of is Of by what the workloads say.
func of(ctx context.Context, source Source, key string, writes map[string]fleet.Write) (map[string]Change, error) {
	all := map[string]Change{}
	var keys [][16]byte
	for name, w := range writes {
		all[name] = written(w)
		if w.Manager == byAPI {
			keys = append(keys, w.Act)
		}
	}
	if len(all) == 0 {
		return all, nil
	}
	acts, err := source.Acts(ctx, keys)
	if err != nil {
		return all, err
	}
	runs, err := source.LastRunChanges(ctx, key, slices.Sorted(maps.Keys(all)))
	if err != nil {
		return all, err
	}
	for name, c := range all {
		switch c.With {
		case byAPI:
			all[name] = acted(c, writes[name], acts)
		case byZr:
			all[name] = deployed(c, name, runs)
		}
	}
	for _, run := range runs {
		if run.Type == (event.Reload{}).Type() {
			all[run.Service] = reloaded(all[run.Service], run)
		}
	}
	return all, nil
}

// reloaded is the later one of a change and a reload. The second of the change is known,
// and not when in it that was.
func reloaded(c Change, run postgres.RunChange) Change {
	switch {
	case !run.At.After(c.At):
		return c
	case run.At.Before(c.At.Add(time.Second)):
		return Change{At: c.At, What: Changed, ScaledWith: c.ScaledWith}
	}
	return Change{At: run.At, What: Reloaded, By: run.User, ScaledWith: c.ScaledWith}
}

// written is what a workload itself says of its last change.
func written(w fleet.Write) Change {
	c := Change{At: w.At.UTC(), What: Changed, With: w.Manager, ScaledWith: w.ScaledWith}
	if w.Manager == byZr {
		c.What = Deployed
	}
	return c
}

// acted names who made a change in the dashboard: the workload has the key of that act, which
// is recorded when it has taken effect, or had not in its time. A record from before the
// change is of an earlier one: a version of the api that writes no key has made this one.
func acted(c Change, w fleet.Write, acts []postgres.AuditRecord) Change {
	for _, a := range acts {
		if a.Key == w.Act && !a.At.Before(c.At) && doings[a.Action] != "" {
			c.By, c.What = a.Actor, doings[a.Action]
		}
	}
	return c
}

// deployed names who ran the zr that wrote a workload: the run tells the very time that the
// API server has noted.
func deployed(c Change, service string, runs []postgres.RunChange) Change {
	for _, run := range runs {
		if run.Service == service && run.Type == (event.ServiceWritten{}).Type() && run.Written.Equal(c.At) {
			c.By = run.User
		}
	}
	return c
}
