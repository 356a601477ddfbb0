// Package expiry stops the environments whose time to live has ended. It deletes
// nothing: what is left is removed by zr, which has the rights to.
package expiry

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"zr/internal/api/contract"
	"zr/internal/api/kube"
	"zr/internal/api/lifecycle"
	"zr/internal/api/reason"
	"zr/internal/api/store/postgres"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// again is when a namespace is looked at anew whose end has passed, since somebody may
// start a service of it, or that could not be watched.
const again = 15 * time.Second

// Cluster reads the Namespace and follows it. *kube.Client is one.
type Cluster interface {
	ReadNamespace(ctx context.Context) (object.Namespace, error)
	WatchNamespace(ctx context.Context, version string, changed func()) (string, error)
}

// Life is the time to live of one environment. Its methods are safe for concurrent use,
// and replicas of the api may each have one of the same environment.
type Life struct {
	Cluster  Cluster
	Services *lifecycle.Services
	Target   func(service string) string                 // how the audit log calls a service
	Record   func(context.Context, postgres.AuditRecord) // writes the audit log
	Log      *slog.Logger

	ends    atomic.Pointer[time.Time]
	version string // of the Namespace that was read last; of the goroutine of Run
}

// Ends returns when the time ends or ended, as it was last asked; nil where there is no
// end, or none is known.
func (l *Life) Ends() *time.Time {
	if l == nil {
		return nil
	}
	return l.ends.Load()
}

// Run stops the services of the environment once its time has ended, until ctx ends.
// Whoever renews the time meanwhile keeps what is not stopped yet.
func (l *Life) Run(ctx context.Context) {
	for told := ""; ctx.Err() == nil; {
		err := l.Look(ctx)
		if err == nil {
			err = l.await(ctx)
		} else {
			pause(ctx)
		}
		if why := reason.Of(err); err != nil && ctx.Err() == nil && why != told {
			l.Log.Warn("the time to live of an environment is not honoured", "error", err)
			told = why
		} else if err == nil {
			told = ""
		}
	}
}

// await waits until the Namespace is to be looked at again.
func (l *Life) await(ctx context.Context) error {
	if ends := l.Ends(); ends != nil {
		at := *ends
		if now := time.Now(); at.Before(now) {
			at = now.Add(again)
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, at)
		defer cancel()
	}
	waiting, changed := context.WithCancel(ctx)
	defer changed()
	version, err := l.version, error(nil)
	for err == nil && waiting.Err() == nil {
		version, err = l.Cluster.WatchNamespace(waiting, version, changed)
	}
	if waiting.Err() != nil || lean.HasCode(err, http.StatusGone) { // 410: too old a version to go on from
		return nil
	}
	pause(ctx)
	return err
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(again):
	}
}

// Look asks until when the environment is kept, and stops it where that has passed.
func (l *Life) Look(ctx context.Context) error {
	set, ended, err := l.ended(ctx)
	if err != nil || !ended {
		return err
	}
	why := "its time to live ended on " + l.Ends().Format(time.RFC3339)
	still := func(ctx context.Context) (bool, error) {
		now, ended, err := l.ended(ctx)
		return ended && now == set, err
	}
	stopping, cancel := context.WithTimeout(ctx, contract.Form.Acting())
	defer cancel()
	return l.Services.StopSet(stopping, set, object.StoppedByExpiry, still, func(service string, act kube.Key, err error) {
		record := postgres.AuditRecord{Key: act, Actor: "zr", Action: "stopService", Target: l.Target(service), Outcome: postgres.Done, Detail: why}
		if err != nil {
			record.Outcome, record.Detail = postgres.Failed, why+"; "+err.Error()
		}
		l.Record(ctx, record)
	})
}

// ended tells whether the time of the environment has ended, and the value of
// object.SetLabel on what is its own.
func (l *Life) ended(ctx context.Context) (set string, ended bool, err error) {
	namespace, err := l.Cluster.ReadNamespace(ctx)
	if lean.HasCode(err, http.StatusNotFound) {
		l.ends.Store(nil)
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	l.version = namespace.ResourceVersion
	set = namespace.Labels[object.SetLabel]
	ends, err := time.Parse(time.RFC3339, namespace.Annotations[object.ExpiresAnnotation])
	// Without the label somebody else has made the namespace, and only lent it.
	if err != nil || set == "" || namespace.Annotations[object.SetAnnotation] == "" {
		l.ends.Store(nil)
		return "", false, nil
	}
	ends = ends.UTC()
	l.ends.Store(&ends)
	return set, ends.Before(time.Now()), nil
}
