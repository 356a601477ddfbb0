package uptime

import (
	"context"
	"log/slog"
	"time"
)

// The recorder's times.
const (
	// pulse is how often what was seen is stored.
	pulse = 5 * time.Second
	// rollEvery is how often samples are added up, and pruneEvery how often is
	// thrown away what is too old.
	rollEvery  = 15 * time.Second
	pruneEvery = 10 * time.Minute
	// storeDeadline bounds one pulse.
	storeDeadline = 4 * time.Second
)

// maxSamples is how many samples wait while the database is away: some minutes of
// 300 services.
const maxSamples = 20_000

// Sample is what one question to a service gave.
type Sample struct {
	Service string
	At      time.Time
	Bucket  int16 // of its latency, or Unanswered
}

// Store is where it lasts. *postgres.Store is one.
type Store interface {
	// Lead says whether this replica is the one that does a piece of work, which
	// it becomes where no other is.
	Lead(ctx context.Context, work string) (bool, error)
	// LastPeriods returns the last period of each service.
	LastPeriods(ctx context.Context, environment string) ([]Period, error)
	// StorePeriods stores periods; one that begins like one that is there moves
	// its end on.
	StorePeriods(ctx context.Context, environment string, periods []Period) error
	StoreSamples(ctx context.Context, environment string, samples []Sample) error
	// RollUp adds up the samples of minutes, and those of hours.
	RollUp(ctx context.Context, environment string, now time.Time) error
	// PruneUptime throws away what is kept for long enough.
	PruneUptime(ctx context.Context, environment string, now time.Time) error
}

// Recorder stores how the services of one environment are. Every replica has one,
// and one of them stores. It is not safe for concurrent use.
type Recorder struct {
	environment string
	store       Store
	log         *slog.Logger

	tracker *tracker
	samples []Sample

	leads, failing         bool
	flushed, rolled, prune time.Time
}

// NewRecorder returns the Recorder of an environment.
func NewRecorder(environment string, store Store, log *slog.Logger) *Recorder {
	return &Recorder{environment: environment, store: store, log: log, tracker: newTracker()}
}

// See takes that a service is in a state at a time. The times of p are of no
// account.
func (r *Recorder) See(p Period, at time.Time) { r.tracker.see(p, at) }

// Sampled takes what questions gave.
func (r *Recorder) Sampled(samples []Sample) {
	r.samples = append(r.samples, samples...)
	if over := len(r.samples) - maxSamples; over > 0 {
		r.samples = append(r.samples[:0], r.samples[over:]...)
	}
}

// Leads says whether this replica stores, as far as it knows.
func (r *Recorder) Leads() bool { return r.leads }

// Flush stores what was seen, every few seconds. While the database is away, what
// it would store waits, within bounds.
func (r *Recorder) Flush(ctx context.Context, now time.Time) {
	if now.Sub(r.flushed) < pulse {
		return
	}
	r.flushed = now
	ctx, cancel := context.WithTimeout(ctx, storeDeadline)
	defer cancel()
	err := r.flush(ctx, now)
	if err != nil && !r.failing && ctx.Err() == nil {
		r.log.Warn("how the services are waits to be stored", "error", err)
	}
	r.failing = err != nil
}

func (r *Recorder) flush(ctx context.Context, now time.Time) error {
	led := r.leads
	leads, err := r.store.Lead(ctx, "uptime")
	if err != nil {
		return err
	}
	if r.leads = leads; !leads {
		r.tracker.forget()
		r.samples = nil
		return nil
	}
	if !led {
		before, err := r.store.LastPeriods(ctx, r.environment)
		if err != nil {
			r.leads = false // so that the next pulse reads them
			return err
		}
		r.tracker.resume(before)
	}
	if err := r.store.StorePeriods(ctx, r.environment, r.tracker.unsaved()); err != nil {
		return err
	}
	r.tracker.saved()
	if err := r.store.StoreSamples(ctx, r.environment, r.samples); err != nil {
		return err
	}
	r.samples = nil
	if now.Sub(r.rolled) >= rollEvery {
		if err := r.store.RollUp(ctx, r.environment, now); err != nil {
			return err
		}
		r.rolled = now
	}
	if now.Sub(r.prune) >= pruneEvery {
		if err := r.store.PruneUptime(ctx, r.environment, now); err != nil {
			return err
		}
		r.prune = now
	}
	return nil
}
