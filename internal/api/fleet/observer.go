package fleet

import (
	"context"
	"log/slog"
	"time"

	"zr/internal/api/probe"
	"zr/internal/api/store/postgres"
	"zr/internal/api/uptime"
)

// The observer's times.
const (
	// askEvery is how often the latency of each service is taken.
	askEvery = 5 * time.Second
	// retention is how long the history is kept, and pruneEvery how often the
	// rest is thrown away.
	retention  = 30 * 24 * time.Hour
	pruneEvery = time.Hour
	// storeDeadline bounds one write.
	storeDeadline = 2 * time.Second
)

// maxBacklog is how many changes are held while the database is away: that it
// went away is one of them. A stack that flaps for longer loses the oldest.
const maxBacklog = 1024

// History is where the observer records. *postgres.Store is one.
type History interface {
	Record(ctx context.Context, seen []postgres.Observation) (int, error)
	Prune(ctx context.Context, before time.Time) (int, error)
}

// Observer watches the services and records each change of their state.
// Every replica runs one: the store keeps a change from being recorded twice.
type Observer struct {
	environment string // that is recorded
	reader      *Reader
	history     History
	uptime      *uptime.Recorder
	log         *slog.Logger

	asked   time.Time
	last    map[string]postgres.Observation
	backlog []postgres.Observation
	failing bool
	pruned  time.Time
}

// NewObserver returns an Observer of what reader sees, which it records as that of an
// environment.
func NewObserver(environment string, reader *Reader, history History, recorder *uptime.Recorder, log *slog.Logger) *Observer {
	return &Observer{environment: environment, reader: reader, history: history, uptime: recorder, log: log, last: map[string]postgres.Observation{}}
}

// Run observes until ctx ends.
func (o *Observer) Run(ctx context.Context) {
	var last *Snapshot
	for {
		snapshot, err := o.reader.Next(ctx, last)
		if err != nil {
			return // with ctx, or the reader
		}
		o.observe(snapshot)
		o.measure(snapshot)
		o.flush(ctx)
		o.uptime.Flush(ctx, time.Now().UTC())
		last = snapshot
	}
}

// observe adds what changed since the last snapshot to the backlog.
func (o *Observer) observe(s *Snapshot) {
	for _, svc := range s.Services {
		seen := postgres.Observation{Service: svc.Name, State: string(svc.State), Build: svc.Build, At: s.At}
		if svc.Reason != nil {
			seen.Reason, seen.Message = svc.Reason.Code, svc.Reason.Message
		}
		o.note(seen)
	}
	if s.Kubernetes.Status != "ok" {
		return // what is missing may merely be unseen
	}
	for name, last := range o.last {
		if last.State != string(Removed) && !s.has(name) {
			o.note(postgres.Observation{Service: name, State: string(Removed), At: s.At})
		}
	}
}

// measure adds how the services are to what the uptime is made of. What Kubernetes
// does not tell is unknown.
func (o *Observer) measure(s *Snapshot) {
	var samples []uptime.Sample
	for _, svc := range s.Services {
		if svc.Kind == "" && svc.Measured == nil {
			continue
		}
		o.uptime.See(periodOf(svc), s.At)
		if m := svc.Measured; m != nil && m.LatencyMS > 0 {
			sample := uptime.Sample{Service: svc.Name, At: s.At, Bucket: uptime.Unanswered}
			if m.Status == probe.OK {
				sample.Bucket = uptime.BucketOf(time.Duration(m.LatencyMS * float64(time.Millisecond)))
			}
			samples = append(samples, sample)
		}
	}
	if o.uptime.Leads() && s.At.Sub(o.asked) >= askEvery {
		o.asked = s.At
		o.uptime.Sampled(samples)
	}
}

// periodOf is how a service is in the words of the uptime.
func periodOf(svc Service) uptime.Period {
	p := uptime.Period{Service: svc.Name, State: uptime.Starting}
	if svc.Reason != nil {
		p.Reason, p.Message = svc.Reason.Code, svc.Reason.Message
	}
	switch {
	case svc.State == Healthy:
		p.State = uptime.Healthy
	case svc.State == Unhealthy:
		p.State = uptime.Unhealthy
	case p.Reason == Stopped:
		p.State = uptime.Stopped
	}
	return p
}

func (s *Snapshot) has(name string) bool {
	for _, svc := range s.Services {
		if svc.Name == name {
			return true
		}
	}
	return false
}

// note takes an observation that differs from the last one of its service.
// The message alone may change with every look (a latency, a pod's name).
func (o *Observer) note(seen postgres.Observation) {
	seen.Environment = o.environment
	last, known := o.last[seen.Service]
	if known && last.State == seen.State && last.Reason == seen.Reason && last.Build == seen.Build {
		return
	}
	o.last[seen.Service] = seen
	o.backlog = append(o.backlog, seen)
	if over := len(o.backlog) - maxBacklog; over > 0 {
		o.backlog = append(o.backlog[:0], o.backlog[over:]...)
		o.log.Warn("the history could not be written for long", "dropped", over)
	}
	level := slog.LevelInfo
	if seen.State == string(Unhealthy) {
		level = slog.LevelWarn
	}
	o.log.Log(context.Background(), level, "service "+seen.State,
		"service", seen.Service, "was", last.State, "reason", seen.Reason, "build", seen.Build)
}

// flush writes the backlog, which stays where that fails.
func (o *Observer) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storeDeadline)
	defer cancel()
	if len(o.backlog) > 0 {
		if _, err := o.history.Record(ctx, o.backlog); err != nil {
			if !o.failing && ctx.Err() == nil {
				o.log.Warn("the history waits for the database", "error", err)
			}
			o.failing = true
			return
		}
		o.backlog, o.failing = nil, false
	}
	if now := time.Now(); now.Sub(o.pruned) >= pruneEvery {
		if n, err := o.history.Prune(ctx, now.Add(-retention)); err == nil {
			o.pruned = now
			o.log.Debug("pruned the history", "events", n)
		}
	}
}
