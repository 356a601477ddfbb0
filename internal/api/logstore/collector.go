package logstore

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"zr/internal/api/logstore/redact"
	"zr/pkg/logline"
	"zr/pkg/logs/follow"
)

// The collector's times.
const (
	// retryEvery is how often what failed is tried again.
	retryEvery = 500 * time.Millisecond
	// askLeaseEvery is how often a replica that does not collect asks whether it
	// may.
	askLeaseEvery = 2 * time.Second
	// upkeepEvery is how often sealed tables are looked for.
	upkeepEvery = 5 * time.Second
)

// hubBytes is how much of each service's newest lines is kept for those who
// watch: at 20,000 lines a second some 0.7 s.
const hubBytes = 4 << 20

// Collector collects the logs of one environment, or shows what another replica
// collects. Its methods are safe for concurrent use.
type Collector struct {
	environment string
	source      Source
	store       Store
	replicas    Replicas
	redactor    *redact.Redactor
	log         *slog.Logger
	hub         *logline.Hub
	looked      chan struct{} // closed when it is known which lines are stored
	leading     atomic.Bool
	heard       *heard
	waiting     atomic.Pointer[buffer] // for the database; nil where this replica has not collected
	received    atomic.Int64
	stored      atomic.Int64
	skipped     atomic.Int64
}

// Source is where lines come from. *follow.Reader is one.
type Source interface {
	Follow(ctx context.Context, o follow.Options, emit func(follow.Line)) error
}

// NewCollector returns the Collector of an environment, which is a namespace of
// that name. redactor takes out the secrets that are known. What is collected goes to the
// collectors of other replicas by replicas.
// Without a source (nil) it only shows what others collect.
func NewCollector(environment string, source Source, store Store, replicas Replicas, redactor *redact.Redactor, log *slog.Logger) *Collector {
	return &Collector{environment: environment, source: source, store: store, replicas: replicas, redactor: redactor, log: log.With("environment", environment),
		hub: logline.NewHub(hubBytes), looked: make(chan struct{}), heard: &heard{gap: make(chan struct{}, 1)}}
}

// Environment is the name of what is collected.
func (c *Collector) Environment() string { return c.environment }

// Stats are counts of records since the process began.
type Stats struct {
	Leading                   bool
	Received, Stored, Skipped int64
	// Waiting are the lines that wait for the database now, and what they take.
	Waiting, WaitingBytes int
	// Last is the ID of the newest line that was collected here, or heard of.
	Last int64
}

// Stats returns how much was collected here.
func (c *Collector) Stats() Stats {
	s := Stats{Leading: c.leading.Load(), Received: c.received.Load(), Stored: c.stored.Load(), Skipped: c.skipped.Load(), Last: c.hub.Last()}
	if b := c.waiting.Load(); b != nil {
		s.Waiting, s.WaitingBytes = b.held()
	}
	return s
}

// Run collects while this replica has the right to, and otherwise shows what
// another one does, until ctx ends.
func (c *Collector) Run(ctx context.Context) {
	c.await(ctx, "the first look at stored logs", func() error {
		last, err := c.store.LastID(ctx, c.environment)
		if err == nil {
			c.hub.StartAfter(last)
			close(c.looked)
		}
		return err
	})
	for ctx.Err() == nil {
		if lease := c.standBy(ctx); lease != nil {
			c.lead(ctx, lease)
		}
	}
}

// standBy shows what another replica collects until this one has the right to, or ctx
// ends.
func (c *Collector) standBy(ctx context.Context) Lease {
	if lease := c.mayLead(ctx); lease != nil {
		return lease
	}
	showing, stop := context.WithCancel(ctx)
	var jobs sync.WaitGroup
	jobs.Go(func() { c.show(showing) })
	jobs.Go(func() { c.hear(showing) })
	defer jobs.Wait()
	defer stop()
	for ctx.Err() == nil {
		sleep(ctx, askLeaseEvery)
		if lease := c.mayLead(ctx); lease != nil {
			return lease
		}
	}
	return nil
}

// mayLead takes the right to collect, where nobody has it.
func (c *Collector) mayLead(ctx context.Context) Lease {
	if c.source == nil {
		return nil
	}
	lease, err := c.store.Lead(ctx, c.environment, 0)
	if err == nil {
		return lease
	}
	if !errors.Is(err, ErrHeld) {
		c.log.Debug("the lease of logs was not had", "error", err)
	}
	return nil
}

// await tries until something succeeds or ctx ends, and logs the first failure.
func (c *Collector) await(ctx context.Context, what string, try func() error) {
	for said := false; ctx.Err() == nil; said = true {
		err := try()
		if err == nil {
			return
		}
		if !said && ctx.Err() == nil {
			c.log.Warn(what+" failed, and is tried again", "error", err)
		}
		sleep(ctx, retryEvery)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// show publishes what another replica has stored, until ctx ends: what it could not tell, or
// what is missing before that.
func (c *Collector) show(ctx context.Context) {
	for ctx.Err() == nil {
		if c.catchUp(ctx) != nil {
			sleep(ctx, retryEvery)
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		case <-c.heard.gap:
			sleep(ctx, replayAgain) // they are on their way
		}
	}
}

// catchUp publishes what was stored since.
func (c *Collector) catchUp(ctx context.Context) error {
	const most = 5000
	for {
		lines, err := c.store.After(ctx, c.environment, c.hub.Last(), most)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if l.Skipped == 0 { // a gap in the store, which nobody who watches has
				c.hub.Publish(l)
			}
		}
		c.heard.publish(c.hub) // what came after these
		if len(lines) < most {
			return nil
		}
	}
}

// lead collects until the right to do so has gone to another replica, or ctx
// ends. Without the database it goes on in memory.
func (c *Collector) lead(ctx context.Context, lease Lease) {
	var cursors map[Container]follow.Cursor
	var last int64
	c.await(ctx, "reading the cursors of logs", func() (err error) {
		if cursors, last, err = c.store.Cursors(ctx, c.environment); err == nil {
			err = c.catchUp(ctx)
		}
		return err
	})
	if ctx.Err() != nil {
		lease.Release()
		return
	}
	c.leading.Store(true)
	defer c.leading.Store(false)
	c.log.Info("collecting logs", "epoch", lease.Epoch(), "containers", len(cursors))
	ctx, depose := context.WithCancel(ctx)
	defer depose()
	telling := newTelling(c)
	buffer := newBuffer()
	c.waiting.Store(buffer)
	records := newRecords(max(last, c.hub.Last()), cursors, c.redactor, func(l *logline.Line, container Container, cursor follow.Cursor) {
		c.received.Add(1)
		c.hub.Publish(l)
		buffer.add(l, container, cursor)
	})
	writer := &writer{collector: c, buffer: buffer, epoch: lease.Epoch(), depose: depose}
	var jobs sync.WaitGroup
	jobs.Go(func() { records.run(ctx) })
	jobs.Go(func() { writer.run(ctx) })
	jobs.Go(func() { c.upkeep(ctx) })
	jobs.Go(func() { telling.run(ctx) })
	// The lease is held until the last lines are stored.
	holding, release := context.WithCancel(context.WithoutCancel(ctx))
	var held sync.WaitGroup
	held.Go(func() { c.keepLease(holding, lease, depose) })
	c.follow(ctx, records)
	jobs.Wait()
	release()
	held.Wait()
}

// follow reads the logs of all containers, again where that ends early.
func (c *Collector) follow(ctx context.Context, r *records) {
	c.await(ctx, "following logs", func() error {
		err := c.source.Follow(ctx, follow.Options{Namespace: c.environment, Follow: true, Resume: r.cursor}, r.take)
		if err == nil && ctx.Err() == nil {
			err = errors.New("the cluster ended it")
		}
		return err
	})
}

// keepLease takes the lease again when the connection that holds it breaks. If
// another replica was faster, this one is deposed.
func (c *Collector) keepLease(ctx context.Context, lease Lease, depose func()) {
	epoch := lease.Epoch()
	for {
		select {
		case <-ctx.Done():
			lease.Release()
			return
		case <-lease.Lost():
		}
		lease.Release()
		for {
			again, err := c.store.Lead(ctx, c.environment, epoch)
			if ctx.Err() != nil && err != nil {
				return
			}
			if err == nil && again.Epoch() == epoch {
				lease = again
				break
			}
			if err == nil || errors.Is(err, ErrHeld) {
				if err == nil {
					again.Release()
				}
				c.log.Warn("another replica has taken over the logs")
				depose()
				return
			}
			sleep(ctx, retryEvery)
		}
	}
}

func (c *Collector) upkeep(ctx context.Context) {
	for ctx.Err() == nil {
		if err := c.store.Upkeep(ctx, c.environment); err != nil && ctx.Err() == nil {
			c.log.Debug("the upkeep of logs failed", "error", err)
		}
		sleep(ctx, upkeepEvery)
	}
}
