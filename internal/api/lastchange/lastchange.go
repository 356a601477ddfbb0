// Package lastchange says what changed a service last, and who did it, as far as that can
// be proven. That something changed a workload, and when, the API server keeps in the
// workload itself. Who it was is in the database: the records of what was done in the
// dashboard, and what runs of zr told. A name is given where they fit, and nobody is named
// where they do not.
package lastchange

import (
	"context"
	"maps"
	"slices"
	"time"

	"zr/internal/api/contract"
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

// doings are what acts of the audit log do to their target.
var doings = map[string]string{
	"restartService": Restarted, "stopService": Stopped, "startService": Started, "scaleService": Scaled,
	"rollbackService": RolledBack, "runService": Ran, "changeSettings": Configured, "restoreSettings": Configured,
}

// settings is the target of acts that change those of the environment.
const settings = "settings"

// actsWithin is how long after its change an act is recorded at most: when it has taken
// effect, or had not in the time of its class.
var actsWithin = contract.Form.Limits().Time

// Change is the last one of a service.
type Change struct {
	At   time.Time `json:"at" doc:"By the clock of the API server; of a reload, by that of the machine of the zr dev."`
	What string    `json:"what" enum:"deployed,reloaded,restarted,stopped,started,scaled,rolledBack,ran,configured,changed"`
	By   string    `json:"by,omitempty" doc:"Who it was; left out where that is not known for certain."`
	With string    `json:"with,omitempty" doc:"What the program that wrote it calls itself, as the API server keeps it: zr, zr-api for the dashboard, kubectl-edit. Left out of a reload, which writes nothing there."`
	// ScaledWith is kept without a time.
	ScaledWith string `json:"scaledWith,omitempty" doc:"What has set the number of its pods by the way of autoscalers and of kubectl scale: the API server notes no time of that, so that it may have been later."`
}

// Source is where the names are. *postgres.Store is one.
type Source interface {
	ActsWithin(ctx context.Context, targets []string, since []time.Time, within time.Duration) ([]postgres.AuditRecord, error)
	LastRunChanges(ctx context.Context, environment string, services []string) ([]postgres.RunChange, error)
}

// Of returns the last change of each of some services, by their names. key is that of the
// environment, target how the audit log calls what is in it. Without the source's answer
// it returns what the workloads themselves say, and the error.
func Of(ctx context.Context, source Source, key string, target func(string) string, services []fleet.Service) (map[string]Change, error) {
	all := map[string]Change{}
	for _, s := range services {
		if w, known := s.LastWrite(); known {
			all[s.Name] = written(w)
		}
	}
	if len(all) == 0 {
		return all, nil
	}
	var targets []string
	var since []time.Time
	for name, c := range all {
		if c.With == byAPI {
			targets, since = append(targets, target(name), target(settings)), append(since, c.At, c.At)
		}
	}
	acts, err := source.ActsWithin(ctx, targets, since, actsWithin)
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
			all[name] = acted(c, acts, target(name), target(settings))
		case byZr:
			all[name] = deployed(c, name, runs)
		}
	}
	for _, run := range runs {
		if run.Type == (event.Reload{}).Type() && run.At.After(all[run.Service].At) {
			all[run.Service] = Change{At: run.At, What: Reloaded, By: run.User, ScaledWith: all[run.Service].ScaledWith}
		}
	}
	return all, nil
}

// written is what a workload itself says of its last change.
func written(w fleet.Write) Change {
	c := Change{At: w.At.UTC(), What: Changed, With: w.Manager, ScaledWith: w.ScaledWith}
	if w.Manager == byZr {
		c.What = Deployed
	}
	return c
}

// acted names who made a change in the dashboard. Acts are recorded when they have taken
// effect, the newest is first. Where several people did something in the time in which the
// act of this change was recorded, it may be that of any of them.
func acted(c Change, acts []postgres.AuditRecord, targets ...string) Change {
	named := c
	for _, a := range acts {
		what := doings[a.Action]
		if what == "" || !slices.Contains(targets, a.Target) || a.At.Before(c.At) || a.At.After(c.At.Add(actsWithin)) {
			continue
		}
		if named.By == "" {
			named.By, named.What = a.Actor, what
		} else if named.By != a.Actor {
			return c
		}
	}
	return named
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
